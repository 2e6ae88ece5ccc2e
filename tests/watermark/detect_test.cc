#include "watermark/detector_model.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "runtime/litert_library.h"

namespace sealite::watermark {
namespace {

runtime::CompiledModel open(const std::string& name, std::string_view signature) {
  runtime::RunOptions options;
  options.library = runtime::litert_library();
  return {SEALITE_SOURCE_DIR "/tests/runtime/data/" + name, signature, options};
}

// Detectors that are none; the real ones are in tests/api.
TEST(WatermarkDetector, RefusesOtherModels) {
  expect_error(ErrorCode::kMismatch, {"2 inputs and 2 outputs"},
               [] { DetectorModel(open("two_signatures.tflite", "shift"), 256); });
  expect_error(ErrorCode::kMismatch, {"float32 [1, 4]", "[N,3,H,W]"},
               [] { DetectorModel(open("two_signatures.tflite", "scale"), 256); });
  expect_error(ErrorCode::kMismatch, {"int32"}, [] { DetectorModel(open("int32.tflite", "serve"), 256); });
}

}  // namespace
}  // namespace sealite::watermark

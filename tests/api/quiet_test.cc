#include <gtest/gtest.h>

#include "api/converted_detector.h"
#include "expect_error.h"

namespace sealite {
namespace {

// LiteRT writes to the descriptor, past every stream.
template <typename Body>
std::string stderr_of(Body&& body) {
  ::testing::internal::CaptureStderr();
  body();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Quiet, TheLibraryCanSilenceLiteRtsOwnLine) {
  const ScratchFolder folder;
  ConvertOptions convert;
  convert.card = SEALITE_SOURCE_DIR "/assets/demo.card.yaml";
  convert_detector(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "d.tflite", convert);
  convert_embedder(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "e.tflite", convert);
  const auto load = [&](bool quiet) {
    DetectorOptions detector;
    detector.litert_library = runtime::litert_library();
    detector.quiet = quiet;
    EmbedderOptions embedder;
    embedder.litert_library = runtime::litert_library();
    embedder.quiet = quiet;
    const Detector d(folder / "d.tflite", detector);
    const Embedder e(folder / "e.tflite", embedder);
  };
  EXPECT_EQ(stderr_of([&] { load(true); }), "");
  EXPECT_NE(stderr_of([&] { load(false); }).find("XNNPACK"), std::string::npos);
  const std::string after = stderr_of([] { std::fputs("still here", stderr); });
  EXPECT_EQ(after, "still here");
}

TEST(Quiet, BenchToo) {
  const ScratchFolder folder;
  BenchOptions options;
  options.litert_library = runtime::litert_library();
  options.runs = 1;
  options.peak = false;
  options.quiet = true;
  const std::string data = SEALITE_SOURCE_DIR "/tests/runtime/data/";
  EXPECT_EQ(stderr_of([&] { bench_model(data + "dynamic.tflite", options); }), "");
  EXPECT_EQ(stderr_of([&] {
              expect_error(ErrorCode::kMalformed, {"broken.tflite"},
                           [&] { bench_model(data + "broken.tflite", options); });
            }),
            "");
  options.quiet = false;
  EXPECT_NE(stderr_of([&] { bench_model(data + "dynamic.tflite", options); }).find("XNNPACK"),
            std::string::npos);
}

}  // namespace
}  // namespace sealite

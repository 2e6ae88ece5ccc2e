#include <gtest/gtest.h>

#include <cstdlib>

#include "api/converted_detector.h"
#include "expect_error.h"

namespace sealite {
namespace {

// LiteRT writes its line once in a process, so each case has one of its own.
class Quiet : public ::testing::Test {
 protected:
  Quiet() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

#define EXPECT_STDERR(body, pattern) \
  EXPECT_EXIT(                       \
      {                              \
        body;                        \
        std::_Exit(0);               \
      },                             \
      ::testing::ExitedWithCode(0), pattern)

constexpr const char* kLine = "XNNPACK delegate";
constexpr const char* kData = SEALITE_SOURCE_DIR "/tests/runtime/data/";

void load_both(bool quiet) {
  const ScratchFolder folder;
  ConvertOptions convert;
  convert.card = SEALITE_SOURCE_DIR "/assets/demo.card.yaml";
  convert_detector(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "d.tflite", convert);
  convert_embedder(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "e.tflite", convert);
  DetectorOptions detector;
  detector.litert_library = runtime::litert_library();
  detector.quiet = quiet;
  EmbedderOptions embedder;
  embedder.litert_library = runtime::litert_library();
  embedder.quiet = quiet;
  const Detector d(folder / "d.tflite", detector);
  const Embedder e(folder / "e.tflite", embedder);
}

BenchOptions bench_options(bool quiet) {
  BenchOptions options;
  options.litert_library = runtime::litert_library();
  options.runs = 1;
  options.peak = false;
  options.quiet = quiet;
  return options;
}

TEST_F(Quiet, TheLibraryCanSilenceLiteRtsOwnLine) {
  EXPECT_STDERR(load_both(true), "^$");
  EXPECT_STDERR(load_both(false), kLine);
  EXPECT_STDERR(load_both(true); std::fputs("still here", stderr), "^still here$");
}

TEST_F(Quiet, BenchToo) {
  EXPECT_STDERR(bench_model(std::string(kData) + "dynamic.tflite", bench_options(true)), "^$");
  EXPECT_STDERR(bench_model(std::string(kData) + "dynamic.tflite", bench_options(false)), kLine);
}

// Also when loading fails.
TEST_F(Quiet, StderrComesBackAfterAnError) {
  EXPECT_STDERR(
      {
        try {
          bench_model(std::string(kData) + "broken.tflite", bench_options(true));
        } catch (const Error& error) {
          std::fputs(error.code() == ErrorCode::kMalformed ? "malformed" : "another error", stderr);
        }
      },
      "^malformed$");
}

}  // namespace
}  // namespace sealite

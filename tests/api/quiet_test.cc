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

// What LiteRT says goes to the log alone, and into it only if there is one.
void load_both(const Context& context) {
  const ScratchFolder folder;
  ConvertOptions convert;
  convert.card = SEALITE_SOURCE_DIR "/assets/demo.card.yaml";
  convert_detector(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "d.tflite", convert);
  convert_embedder(SEALITE_SOURCE_DIR "/assets/demo.pth", folder / "e.tflite", convert);
  const Detector d(folder / "d.tflite", {context, 1});
  const Embedder e(folder / "e.tflite", {context, 1});
}

Context silent() {
  Context context;
  context.litert_library = runtime::litert_library();
  return context;
}

Context talking() {
  Context context = silent();
  context.log = [](LogLevel level, std::string_view line) {
    if (level == LogLevel::kInfo) std::fprintf(stderr, "<%.*s>", static_cast<int>(line.size()), line.data());
  };
  return context;
}

BenchOptions bench_options(const Context& context) {
  BenchOptions options;
  options.context = context;
  options.runs = 1;
  options.peak = false;
  return options;
}

TEST_F(Quiet, WhatLiteRtSaysGoesToTheLog) {
  EXPECT_STDERR(load_both(silent()), "^$");
  EXPECT_STDERR(load_both(talking()), "<INFO: Created TensorFlow Lite XNNPACK delegate for CPU.>");
  EXPECT_STDERR(load_both(silent()); std::fputs("still here", stderr), "^still here$");
}

TEST_F(Quiet, BenchToo) {
  EXPECT_STDERR(bench_model(std::string(kData) + "dynamic.tflite", bench_options(silent())), "^$");
  EXPECT_STDERR(bench_model(std::string(kData) + "dynamic.tflite", bench_options(talking())), kLine);
}

TEST_F(Quiet, AnErrorIsNotPrintedEither) {
  EXPECT_STDERR(
      {
        try {
          bench_model(std::string(kData) + "broken.tflite", bench_options(silent()));
        } catch (const Error& error) {
          std::fputs(error.code() == ErrorCode::kMalformed ? "malformed" : "another error", stderr);
        }
      },
      "^malformed$");
}

}  // namespace
}  // namespace sealite

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "converted_detector.h"
#include "expect_error.h"
#include "float_checks.h"

#include "runtime/compiled_model.h"
#include "tflite/run_in_litert.h"

namespace sealite {
namespace {

// Relative error of LiteRT's logits from the reference model's, on the fixture's own pictures.
double fixture_error(const std::string& name, const ConvertOptions& options) {
  const ScratchFolder scratch;
  const auto path = scratch.path() / "model.tflite";
  convert_detector(fixture(name + ".pth"), path, options);
  runtime::CompiledModel model = runtime::load_model(path, "detect");
  EXPECT_TRUE(model.fully_delegated()) << name;
  const Npy images = read_npy(fixture(name + ".images.npy"));
  const std::size_t each = images.values.size() / 4;
  std::vector<float> logits;
  for (std::size_t i = 0; i < 4; ++i) {
    model.write_input(0, std::span(images.values).subspan(i * each, each));
    model.run();
    const auto output = model.read_output(0);
    logits.insert(logits.end(), output.begin(), output.end());
  }
  return relative_error(logits, read_npy(fixture(name + ".detector_logits.npy")).values);
}

std::vector<std::filesystem::path> photos() {
  std::vector<std::filesystem::path> paths;
  for (const char* photo : {"astronaut.png", "chelsea.png", "china.jpg", "coffee.png", "rocket.jpg"})
    paths.push_back(fixture("photos") / photo);
  return paths;
}

// A transformer: errors of attention's weights meet in a softmax, so 4 bits want pictures.
TEST(ConvertRecipesGolden, VisionTransformer) {
  ConvertOptions options;
  for (const auto& [recipe, most] : {std::pair{"fp16", 1e-3}, {"int8", 0.02}, {"int4", 0.35}}) {
    options.quantize = recipe;
    EXPECT_LE(fixture_error("videoseal_0.0_tiny", options), most) << recipe;
  }
  options.calibrate = photos();
  options.gptq = true;
  EXPECT_LE(fixture_error("videoseal_0.0_tiny", options), 0.1) << "int4 with GPTQ";
}

double mean_error(const ConvertOptions& options) {
  double sum = 0;
  for (const char* name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny"})
    sum += fixture_error(name, options);
  return sum / 3;
}

// The usual converter's int8 has a mean of 0.0199 here (shared/fixtures/README.md).
TEST(ConvertRecipesGolden, Int8WithoutPicturesBeatsTheUsualConverter) {
  ConvertOptions options;
  options.quantize = "int8";
  EXPECT_LE(mean_error(options), 0.0199);
}

TEST(ConvertRecipesGolden, Int8WithPictures) {
  ConvertOptions options;
  options.quantize = "int8";
  options.calibrate = photos();
  EXPECT_LE(mean_error(options), 0.0120);
}

TEST(ConvertRecipesGolden, Fp16) {
  ConvertOptions options;
  options.quantize = "fp16";
  EXPECT_LE(mean_error(options), 5e-4);
}

TEST(ConvertRecipes, GptqWithoutPicturesIsRefused) {
  ConvertOptions options;
  options.quantize = "int8";
  options.gptq = true;
  const ScratchFolder scratch;
  expect_error(ErrorCode::kUsage, {"--calibrate"},
               [&] { convert_detector(fixture("demo.pth"), scratch.path() / "x.tflite", options); });
}

TEST(ConvertRecipes, SameBytesEachTime) {
  const ScratchFolder scratch;
  for (const char* recipe : {"fp16", "int8", "int4"}) {
    ConvertOptions options;
    options.quantize = recipe;
    std::string first;
    for (int run = 0; run < 2; ++run) {
      const auto path = scratch.path() / "model.tflite";
      convert_detector(fixture("demo.pth"), path, options);
      std::ifstream file(path, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      if (run == 1) {
        EXPECT_TRUE(bytes == first) << recipe;
      }
      first = bytes;
    }
  }
}

}  // namespace
}  // namespace sealite

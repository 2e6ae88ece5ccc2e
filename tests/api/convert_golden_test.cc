// From checkpoint through the file and LiteRT to the reference code's own numbers.
#include <gtest/gtest.h>

#include "api/converted_detector.h"
#include "float_checks.h"
#include "model_file/reader.h"
#include "reference_images.h"
#include "tflite/run_in_litert.h"

namespace sealite {
namespace {

struct DetectorFixture {
  std::string name;
  std::int64_t size;
  double tolerance;  // |difference| <= tolerance + tolerance * |reference|
};

void PrintTo(const DetectorFixture& model, std::ostream* out) {
  *out << model.name;
}

// demo: see tests/model/golden_test.cc; PyTorch's own float32 is not nearer to itself.
const DetectorFixture kDetectorFixtures[] = {{"chunkyseal_tiny", 256, 2e-6},
                                             {"pixelseal_tiny", 256, 2e-6},
                                             {"videoseal_1.0_tiny", 256, 2e-6},
                                             {"demo", 64, 1e-5}};

// Its size is fixed, and its tests are those that do not ask for another.
const DetectorFixture kTransformer = {"videoseal_0.0_tiny", 256, 5e-6};

class GoldenConvert : public ::testing::TestWithParam<DetectorFixture> {
 protected:
  ConvertReport convert(const ConvertOptions& options) const {
    return convert_detector(checkpoint, output, options);
  }

  const std::string name = GetParam().name;
  const double tolerance = GetParam().tolerance;
  const std::int64_t size = GetParam().size;
  const std::filesystem::path checkpoint = fixture(name + ".pth");
  const Npy images = detector_images(name);
  const Npy logits = read_npy(fixture(name + ".detector_logits.npy"));
  const ScratchFolder folder;
  const std::filesystem::path output = folder / "detector.tflite";
};

TEST_P(GoldenConvert, EachLayoutGivesPyTorchsLogits) {
  const evaluate::Tensor planar{images.shape, images.values};
  for (const ImageLayout layout : {ImageLayout::kNchw, ImageLayout::kNhwc}) {
    const bool nchw = layout == ImageLayout::kNchw;
    ConvertOptions options;
    options.layout = layout;
    const ConvertReport report = convert(options);
    EXPECT_EQ(report.input_shape, (nchw ? Shape{1, 3, size, size} : Shape{1, size, size, 3}));
    EXPECT_EQ(report.output_shape, (Shape{1, logits.shape[1]}));
    const model_file::ModelInfo info = model_file::read_model(output);
    EXPECT_EQ(info.signatures.at(0).inputs.at(0).shape, report.input_shape);
    EXPECT_EQ(info.signatures.at(0).outputs.at(0).name, "logits");
    auto model = runtime::load_model(output, "detect");
    EXPECT_TRUE(model.fully_delegated());
    const evaluate::Tensor batch = nchw ? planar : to_nhwc(images);
    const std::size_t pixels = batch.values.size() / 4;
    const std::size_t columns = logits.values.size() / 4;
    for (std::size_t i = 0; i < 4; ++i) {
      model.write_input(0, std::span(batch.values).subspan(i * pixels, pixels));
      model.run();
      const std::vector<float> wanted(&logits.values[i * columns], &logits.values[i * columns] + columns);
      expect_near(model.read_output(0), wanted, tolerance, tolerance, nchw ? "NCHW" : "NHWC");
    }
  }
}

class GoldenConvertAnySize : public GoldenConvert {};

TEST_P(GoldenConvertAnySize, DynamicTakesTheWholeBatch) {
  ConvertOptions options;
  options.dynamic = true;
  EXPECT_EQ(convert(options).input_shape, (Shape{-1, 3, -1, -1}));
  auto model = runtime::load_model(output, "detect");
  model.resize_input(0, images.shape);
  EXPECT_EQ(model.output_shape(0), logits.shape);
  model.write_input(0, images.values);
  model.run();
  expect_near(model.read_output(0), logits.values, tolerance, tolerance);
}

TEST_P(GoldenConvertAnySize, DynamicTakesOtherSizes) {
  for (const bool nchw : {true, false}) {
    ConvertOptions options;
    options.dynamic = true;
    options.layout = nchw ? ImageLayout::kNchw : ImageLayout::kNhwc;
    convert(options);
    auto model = runtime::load_model(output, "detect");
    for (const auto& [batch, height, width] :
         {std::array{std::int64_t{1}, size, size}, {1, 320, 192}, {2, 192, 256}}) {
      model::InterfaceOptions border;
      border.layout = nchw ? ImageLayout::kNchw : ImageLayout::kNhwc;
      border.batch = batch;
      border.height = height;
      border.width = width;
      const graph::Graph graph = detector_graph(checkpoint, border);
      const Shape& shape = graph.shape(graph.inputs[0]);
      const evaluate::Tensor input{shape, random_values(shape, 3, 0, 1)};
      const evaluate::Tensor found = runtime::run_in_litert(model, graph, {input}).at(0);
      const evaluate::Tensor wanted = evaluate::evaluate(graph, {input}).at(0);
      EXPECT_EQ(found.shape, wanted.shape);
      expect_near(found.values, wanted.values, tolerance, tolerance, to_string(shape));
    }
  }
}

TEST_P(GoldenConvertAnySize, AnotherImageSize) {
  ConvertOptions options;
  options.image_size = 128;
  convert(options);
  model::InterfaceOptions border;
  border.height = border.width = 128;
  const graph::Graph graph = detector_graph(checkpoint, border);
  const Shape& shape = graph.shape(graph.inputs[0]);
  const evaluate::Tensor input{shape, random_values(shape, 3, 0, 1)};
  auto model = runtime::load_model(output, "detect");
  expect_near(runtime::run_in_litert(model, graph, {input}).at(0).values,
              evaluate::evaluate(graph, {input}).at(0).values, tolerance, tolerance);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenConvert, ::testing::ValuesIn(kDetectorFixtures));
INSTANTIATE_TEST_SUITE_P(Transformer, GoldenConvert, ::testing::Values(kTransformer));
INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenConvertAnySize, ::testing::ValuesIn(kDetectorFixtures));

TEST(GoldenConvertParts, ADetectorAloneIsTheSameDetector) {
  const ScratchFolder folder;
  const auto whole = convert_detector(fixture("chunkyseal_tiny.pth"), folder / "whole.tflite");
  const auto part = convert_detector(fixture("chunkyseal_tiny_detector_only.pth"), folder / "part.tflite");
  EXPECT_EQ(part.checkpoint_hash, whole.checkpoint_hash);
  EXPECT_EQ(part.parameters, whole.parameters);
  EXPECT_EQ(part.operators, whole.operators);
  EXPECT_EQ(part.multiply_accumulates, whole.multiply_accumulates);
}

TEST(GoldenConvertParts, TheCardSaysTheSameAsTheFile) {
  const ScratchFolder folder;
  const auto derived = convert_detector(fixture("demo.pth"), folder / "derived.tflite");
  ConvertOptions options;
  options.card = fixture("demo.card.yaml").string();
  const auto carded = convert_detector(fixture("demo.pth"), folder / "carded.tflite", options);
  EXPECT_EQ(carded.card, "demo");
  EXPECT_EQ(derived.card, "demo");
  EXPECT_EQ(read_text(folder / "derived.tflite"), read_text(folder / "carded.tflite"));
}

}  // namespace
}  // namespace sealite

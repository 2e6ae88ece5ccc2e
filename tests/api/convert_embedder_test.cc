// Embedders from checkpoint through the file and LiteRT to the reference code's own numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/converted_detector.h"
#include "expect_error.h"
#include "float_checks.h"
#include "model_file/reader.h"
#include "reference_images.h"
#include "tflite/run_in_litert.h"

namespace sealite {
namespace {

struct EmbedderFixture {
  std::string name;
  double tolerance;  // |difference| <= tolerance; delta lies in [-1, 1]
  // What weights in float16 and in 8 bits leave, 1 dB (an eighth of the error) below what was measured.
  double fp16_decibels;
  double int8_decibels;
};

void PrintTo(const EmbedderFixture& model, std::ostream* out) {
  *out << model.name;
}

// XNNPACK's float32 has been seen 5.0e-6 away from PyTorch's, and 5.3e-5 for demo; PyTorch's own from float64
// is in tests/model/embedder_golden_test.cc. Other processors have other kernels.
const EmbedderFixture kEmbedderFixtures[] = {{"chunkyseal_tiny", 8e-6, 67.9, 34.2},
                                             {"pixelseal_tiny", 8e-6, 74.3, 42.4},
                                             {"videoseal_1.0_tiny", 8e-6, 78.3, 44.7},
                                             {"videoseal_0.0_tiny", 3e-5, 65.9, 32.6},
                                             {"demo", 1e-4, 65.7, 23.3}};

// 20 log10 of the norm of `wanted` over that of the difference.
double decibels(const std::vector<float>& found, const std::vector<float>& wanted) {
  return -20 * std::log10(relative_error(found, wanted));
}

class GoldenConvertEmbedder : public ::testing::TestWithParam<EmbedderFixture> {
 protected:
  ConvertReport convert(ConvertOptions options = {}) const {
    options.card = fixture(name + ".card.yaml").string();
    if (options.image_size == 0) options.image_size = images.shape[2];
    return convert_embedder(fixture(name + ".pth"), output, options);
  }
  // The deltas of all four pictures, which the model has to make delegated.
  std::vector<float> deltas(bool nchw = true) const {
    runtime::CompiledModel model = runtime::load_model(output, "embed");
    EXPECT_TRUE(model.fully_delegated());
    const std::size_t image = runtime::index_of(model.inputs(), "image");
    const std::size_t message = runtime::index_of(model.inputs(), "message");
    const std::vector<float>& pictures = nchw ? images.values : to_nhwc(images).values;
    std::vector<float> all;
    for (std::size_t i = 0; i < 4; ++i) {
      model.write_input(image, quarter(pictures, i));
      model.write_input(message, quarter(messages.values, i));
      model.run();
      const std::vector<float> one = model.read_output(0);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }
  static std::span<const float> quarter(const std::vector<float>& values, std::size_t i) {
    return std::span(values).subspan(i * values.size() / 4, values.size() / 4);
  }

  const std::string name = GetParam().name;
  const Npy images = images_64();
  const Npy messages = read_npy(fixture(name + ".messages.npy"));
  const Npy delta = read_npy(fixture(name + ".embedder_delta.npy"));
  const ScratchFolder folder;
  const std::filesystem::path output = folder / "embedder.tflite";
};

TEST_P(GoldenConvertEmbedder, GivesPyTorchsDelta) {
  const ConvertReport report = convert();
  EXPECT_EQ(report.part, Part::kEmbedder);
  EXPECT_EQ(report.input_shape, (Shape{1, 3, images.shape[2], images.shape[3]}));
  EXPECT_EQ(report.message_shape, (Shape{1, messages.shape[1]}));
  EXPECT_EQ(report.output_shape, (Shape{1, delta.shape[1], images.shape[2], images.shape[3]}));
  const std::vector<float> found = deltas();
  expect_near(found, delta.values, GetParam().tolerance, 0);
  EXPECT_GT(decibels(found, delta.values), 100);
}

TEST_P(GoldenConvertEmbedder, NhwcGivesTheSame) {
  ConvertOptions options;
  options.layout = ImageLayout::kNhwc;
  EXPECT_EQ(convert(options).output_shape, (Shape{1, images.shape[2], images.shape[3], delta.shape[1]}));
  const std::vector<float> wanted = delta.shape[1] == 1 ? delta.values : to_nhwc(delta).values;
  expect_near(deltas(false), wanted, GetParam().tolerance, 0);
}

TEST_P(GoldenConvertEmbedder, EachRecipeStaysNear) {
  const double int8 = GetParam().int8_decibels;
  for (const auto& [recipe, least] :
       {std::pair{"fp16", GetParam().fp16_decibels}, {"int8", int8}, {"int4", int8}}) {
    ConvertOptions options;
    options.quantize = recipe;
    convert(options);
    const double found = decibels(deltas(), delta.values);
    RecordProperty(recipe, std::to_string(found));
    EXPECT_GE(found, least) << recipe;
  }
}

// What the evaluator is told of a smaller picture, the file does.
TEST_P(GoldenConvertEmbedder, AnotherImageSize) {
  ConvertOptions options;
  options.image_size = 32;
  convert(options);
  const auto file =
      std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(fixture(name + ".pth")));
  model::InterfaceOptions border;
  border.height = border.width = 32;
  const auto network = model::make_embedder(model::load_card(fixture(name + ".card.yaml").string()));
  const graph::Graph graph = build_embedder_graph(*network, model::Weights(file), border);
  const std::vector<evaluate::Tensor> inputs = {
      {graph.shape(graph.inputs[0]), random_values(graph.shape(graph.inputs[0]), 3, 0, 1)},
      {{1, messages.shape[1]}, {quarter(messages.values, 1).begin(), quarter(messages.values, 1).end()}}};
  auto model = runtime::load_model(output, "embed");
  expect_near(runtime::run_in_litert(model, graph, inputs).at(0).values,
              evaluate::evaluate(graph, inputs).at(0).values, GetParam().tolerance, 0);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenConvertEmbedder, ::testing::ValuesIn(kEmbedderFixtures));

class ConvertEmbedder : public ::testing::Test {
 protected:
  ConvertEmbedder() { options.card = fixture("demo.card.yaml").string(); }

  const std::filesystem::path checkpoint = fixture("demo.pth");
  const ScratchFolder folder;
  const std::filesystem::path output = folder / "demo.tflite";
  ConvertOptions options;
};

TEST_F(ConvertEmbedder, MetadataSaysHowToEmbed) {
  const ConvertReport report = convert_embedder(checkpoint, output, options);
  const auto json = nlohmann::json::parse(model_file::read_model(output).metadata.at("sealite"));
  EXPECT_EQ(json["part"], "embedder");
  EXPECT_EQ(json["bits"], 32);
  EXPECT_EQ(json["attenuation"], "jnd_1_1");
  EXPECT_EQ(json["scaling_w"], 1.4);
  EXPECT_EQ(json["scaling_i"], 1.0);
  EXPECT_EQ(json["yuv"], true);
  EXPECT_EQ(json["checkpoint_hash"], report.checkpoint_hash);
}

TEST_F(ConvertEmbedder, BothPartsAreWhatEachIsAlone) {
  options.part = Part::kBoth;
  const auto reports = convert(checkpoint, output, options);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].output, folder / "demo.detector.tflite");
  EXPECT_EQ(reports[1].output, folder / "demo.embedder.tflite");
  EXPECT_FALSE(std::filesystem::exists(output));
  convert_detector(checkpoint, folder / "d", options);
  convert_embedder(checkpoint, folder / "e", options);
  EXPECT_EQ(read_text(folder / "demo.detector.tflite"), read_text(folder / "d"));
  EXPECT_EQ(read_text(folder / "demo.embedder.tflite"), read_text(folder / "e"));
}

TEST_F(ConvertEmbedder, BothOrNeither) {
  options.part = Part::kBoth;
  options.card = fixture("chunkyseal_tiny.card.yaml").string();
  expect_error(ErrorCode::kMismatch, {"detector_only.pth", "has no embedder", "--part detector"},
               [&] { convert(fixture("chunkyseal_tiny_detector_only.pth"), output, options); });
  EXPECT_EQ(folder.entries(), 0);
  // The second file cannot get its name: the first one does not get its own either.
  options.card = fixture("demo.card.yaml").string();
  std::filesystem::create_directory(folder / "demo.embedder.tflite");
  expect_error(ErrorCode::kUsage, {"is a folder"}, [&] { convert(checkpoint, output, options); });
  EXPECT_EQ(folder.entries(), 1);
}

TEST_F(ConvertEmbedder, TheFileSaysTheSameAsTheCard) {
  convert_embedder(checkpoint, folder / "carded", options);
  options.card.clear();
  convert_embedder(checkpoint, folder / "derived", options);
  EXPECT_EQ(read_text(folder / "derived"), read_text(folder / "carded"));
}

TEST_F(ConvertEmbedder, CalibratesTheSameWayEachTime) {
  options.quantize = "int8";
  options.calibrate = {fixture("coffee.png"), fixture("photos/rocket.jpg")};
  convert_embedder(checkpoint, folder / "a", options);
  convert_embedder(checkpoint, folder / "b", options);
  EXPECT_EQ(read_text(folder / "a"), read_text(folder / "b"));
}

TEST_F(ConvertEmbedder, RefusesWhatDoesNotFit) {
  options.dynamic = true;
  expect_error(ErrorCode::kUnsupported, {"--dynamic", "embedder", "--image-size"},
               [&] { convert_embedder(checkpoint, output, options); });
  options.dynamic = false;
  options.image_size = 60;
  expect_error(ErrorCode::kUsage, {"'demo' at 60x60", "height and width"},
               [&] { convert_embedder(checkpoint, output, options); });
  options.image_size = 0;
  options.card = "pixelseal";  // another length of messages, among others
  expect_error(ErrorCode::kMismatch, {"msg_embeddings", "[512, 256]", "[64, 32]"},
               [&] { convert_embedder(checkpoint, output, options); });
  options.card.clear();
  expect_error(ErrorCode::kMismatch, {"no embedder"},
               [&] { convert_embedder(fixture("chunkyseal_tiny_detector_only.pth"), output, options); });
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace sealite

#include "sealite/convert.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "api/converted_detector.h"
#include "expect_error.h"
#include "float_checks.h"
#include "model/small_checkpoint.h"
#include "model_file/reader.h"
#include "tflite/run_in_litert.h"

namespace sealite {
namespace {

constexpr const char* kCardText =
    "args: {nbits: 6, img_size_proc: 64}\n"
    "extractor: {model: convnext_tiny, params: {encoder: {depths: [1, 1, 2, 1], dims: [4, 6, 8, 12]}, "
    "pixel_decoder: {";

// A small network's checkpoint and card, to be spoilt.
class Convert : public ::testing::Test {
 protected:
  explicit Convert(const std::string& decoder = "upscale_stages: [1]") {
    const std::string text = kCardText + decoder + "}}}";
    write_text(card, text);
    network = model::make_detector(model::parse_card("small", text));
    tensors = model::random_tensors(network->parameters());
    options.card = card.string();
  }
  ConvertReport convert() const {
    model::write_checkpoint(checkpoint, tensors);
    return convert_detector(checkpoint, output, options);
  }
  model::SmallTensor& tensor(std::string_view part) {
    return *std::ranges::find_if(tensors,
                                 [&](const auto& t) { return t.name.find(part) != std::string::npos; });
  }
  // What LiteRT and the evaluator make of the same random picture of `shape`.
  void expect_equal_answers(const Shape& shape, bool nchw) {
    model::InterfaceOptions border;
    border.layout = nchw ? ImageLayout::kNchw : ImageLayout::kNhwc;
    border.batch = shape[0];
    border.height = shape[nchw ? 2 : 1];
    border.width = shape[nchw ? 3 : 2];
    const auto file =
        std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(checkpoint));
    const graph::Graph graph = build_detector_graph(*network, model::Weights(file), border);
    const evaluate::Tensor input{shape, random_values(shape, 3, 0, 1)};
    auto runtime = runtime::load_model(output, "detect");
    const evaluate::Tensor found = runtime::run_in_litert(runtime, graph, {input}).at(0);
    const evaluate::Tensor wanted = evaluate::evaluate(graph, {input}).at(0);
    EXPECT_EQ(found.shape, wanted.shape);
    expect_near(found.values, wanted.values, 1e-5, 1e-5);
  }

  const ScratchFolder folder;
  const std::filesystem::path card = folder / "small.card.yaml";
  const std::filesystem::path checkpoint = folder / "small.pth";
  const std::filesystem::path output = folder / "small.tflite";
  std::unique_ptr<model::DetectorNetwork> network;
  std::vector<model::SmallTensor> tensors;
  ConvertOptions options;
};

TEST_F(Convert, Report) {
  const ConvertReport report = convert();
  EXPECT_EQ(report.output, output);
  EXPECT_EQ(report.bytes, std::filesystem::file_size(output));
  EXPECT_EQ(report.card, "small");
  EXPECT_EQ(report.precision, "float32");
  EXPECT_EQ(report.input_shape, (Shape{1, 3, 64, 64}));
  EXPECT_EQ(report.output_shape, (Shape{1, 7}));
  EXPECT_TRUE(report.non_finite.empty());
  EXPECT_TRUE(report.checkpoint_hash.starts_with("blake3:")) << report.checkpoint_hash;
  EXPECT_EQ(report.checkpoint_hash.size(), 71U);
  EXPECT_NE(report.checkpoint_hash.find_first_not_of("blake3:0"), std::string::npos);
  std::uint64_t parameters = 0;
  for (const auto& t : tensors) parameters += t.values.size();
  EXPECT_EQ(report.parameters, parameters);
  // By hand: stem, three downsamplings, five blocks, the decoder's convolution and the head.
  const auto block = [](std::uint64_t side, std::uint64_t dim) { return side * side * dim * (49 + 8 * dim); };
  EXPECT_EQ(report.multiply_accumulates, 16U * 16 * 4 * 48 + 8U * 8 * 6 * 16 + 4U * 4 * 8 * 24 +
                                             2U * 2 * 12 * 32 + block(16, 4) + block(8, 6) + 2 * block(4, 8) +
                                             block(2, 12) + 2U * 2 * 12 * 12 * 9 + 12 * 7);
  expect_equal_answers({1, 3, 64, 64}, true);
}

TEST_F(Convert, MetadataSaysWhatItIs) {
  options.layout = ImageLayout::kNhwc;
  const ConvertReport report = convert();
  const model_file::ModelInfo info = model_file::read_model(output);
  const auto json = nlohmann::json::parse(info.metadata.at("sealite"));
  EXPECT_EQ(json["model"], "small");
  EXPECT_EQ(json["part"], "detector");
  EXPECT_EQ(json["bits"], 6);
  EXPECT_EQ(json["image_size"], 64);
  EXPECT_EQ(json["layout"], "nhwc");
  EXPECT_EQ(json["precision"], "float32");
  EXPECT_EQ(json["sealite_version"], version());
  EXPECT_EQ(json["checkpoint_hash"], report.checkpoint_hash);
  EXPECT_EQ(info.signatures.at(0).key, "detect");
  std::size_t operators = 0;
  for (const auto& [name, count] : info.operators) operators += count;
  EXPECT_EQ(operators, report.operators);
}

TEST_F(Convert, PreprocessingCostsNothing) {
  convert();
  options.stop_after = "fold-scalar-affine";
  std::string text;
  options.after_pass = [&](std::string_view, const std::function<std::string()>& dump) { text = dump(); };
  EXPECT_THROW(convert(), Error);
  EXPECT_EQ(text.find("preprocess"), std::string::npos) << text;
}

TEST_F(Convert, PassesAreShownAndStopped) {
  std::vector<std::string> seen;
  options.after_pass = [&](std::string_view pass, const std::function<std::string()>& dump) {
    seen.emplace_back(pass);
    EXPECT_NE(dump().find("CONV_2D"), std::string::npos);
  };
  convert();
  EXPECT_GT(seen.size(), 5U);
  EXPECT_EQ(seen[0], "fold-scalar-affine");
  std::filesystem::remove(output);
  options.stop_after = "fold-norm-affine";  // norms are left, for which there is no operator
  expect_error(ErrorCode::kUsage, {"stopped after 'fold-norm-affine'"}, [&] { convert(); });
  options.stop_after = "no-such-pass";
  expect_error(ErrorCode::kUsage, {"no-such-pass", "split-depthwise"}, [&] { convert(); });
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST_F(Convert, MissingTensor) {
  const std::string name = tensor("stages.2.1.pwconv1.weight").name;
  std::erase_if(tensors, [&](const auto& t) { return t.name == name; });
  expect_error(ErrorCode::kMismatch, {name, "expected [32, 8], found none", "'small'"}, [&] { convert(); });
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST_F(Convert, WrongShape) {
  model::SmallTensor& head = tensor("linear.weight");
  head.shape = {6, 14};
  expect_error(ErrorCode::kMismatch, {"linear.weight", "expected [7, 12], found [6, 14]"},
               [&] { convert(); });
  EXPECT_FALSE(std::filesystem::exists(output));
}

// A layer that the network does not have would change its result.
TEST_F(Convert, WeightsThatNoLayerReadsAreRefused) {
  const std::string first = "detector.convnext.stages.0.0.temp_block.attn.qkv.weight";
  tensors.push_back({first, {12, 4}, std::vector<float>(48, 0.5F)});
  tensors.push_back({"detector.convnext.stages.4.0.dwconv.bias", {4}, {1, 2, 3, 4}, DType::kFloat16});
  expect_error(ErrorCode::kMismatch,
               {"2 weights", "detector", "'" + first + "', 'detector.convnext.stages.4", "card"},
               [&] { convert(); });
  EXPECT_FALSE(std::filesystem::exists(output));
  // Those of another part do not matter.
  tensors.resize(tensors.size() - 2);
  tensors.push_back({"embedder.unet.more.weight", {1}, {1}});
  tensors.push_back({"discriminator.weight", {1}, {1}});
  EXPECT_TRUE(convert().unread.empty());
}

TEST_F(Convert, CountersThatNoLayerReadsAreNamed) {
  tensors.push_back({"detector.convnext.stages.0.0.total_ops", {1}, {7}});
  tensors.push_back({"detector.steps", {}, {3}, DType::kInt64});
  EXPECT_EQ(convert().unread,
            (std::vector<std::string>{"detector.convnext.stages.0.0.total_ops", "detector.steps"}));
}

TEST_F(Convert, NonFiniteWeightsAreRefusedOrReported) {
  tensor("pwconv2.bias").values[0] = std::numeric_limits<float>::quiet_NaN();
  tensor("linear.weight").values[5] = std::numeric_limits<float>::infinity();
  expect_error(ErrorCode::kMalformed,
               {"small.pth", "pwconv2.bias' has 1 NaN or infinite value", "1 more", "--allow-non-finite"},
               [&] { convert(); });
  EXPECT_FALSE(std::filesystem::exists(output));
  options.allow_non_finite = true;
  const auto found = convert().non_finite;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].first.find("pwconv2.bias"), std::string::npos);
  EXPECT_EQ(found[0].second, 1U);
  EXPECT_NE(found[1].first.find("linear.weight"), std::string::npos);
}

TEST_F(Convert, LogitsThatAreNoNumbersAreNoMessage) {
  tensor("linear.weight").values[5] = std::numeric_limits<float>::quiet_NaN();
  options.allow_non_finite = true;
  convert();
  Detector detector = load_detector(output);
  const std::filesystem::path photo = fixture("coffee.png");
  expect_error(ErrorCode::kMalformed, {"NaN or infinite", "no message"},
               [&] { detect_file(detector, photo); });
  expect_error(ErrorCode::kMalformed, {"NaN or infinite"},
               [&] { detector.detect(Picture{2, 2, std::vector<std::uint8_t>(12, 9)}); });
  // An error of each picture, in its place.
  std::vector<std::string> errors;
  const std::vector<std::filesystem::path> photos = {photo, folder / "absent.png", photo};
  detect_files(detector, photos, 2, [&](std::size_t, PictureDetection found) {
    errors.emplace_back(found.error.value().what());
    EXPECT_TRUE(found.detection.logits.empty());
  });
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_NE(errors[0].find("coffee.png': 1 of the model's 7 outputs"), std::string::npos) << errors[0];
  EXPECT_NE(errors[1].find("absent.png"), std::string::npos) << errors[1];
  EXPECT_EQ(errors[2], errors[0]);
}

// Not the recipe's name, but what is in the file.
TEST_F(Convert, ThePrecisionIsThatOfTheStoredWeights) {
  const auto precision = [&](Part part) {
    options.part = part;
    const std::string said = sealite::convert(fixture("demo.pth"), output, options).at(0).precision;
    EXPECT_EQ(nlohmann::json::parse(model_file::read_model(output).metadata.at("sealite"))["precision"],
              said);
    return said;
  };
  options.card = "";
  options.quantize = "int4";
  EXPECT_EQ(precision(Part::kDetector), "int4");
  EXPECT_EQ(precision(Part::kEmbedder), "int8") << "its convolutions have no 4-bit kernels";
  options.keep = {".*=float32"};
  EXPECT_EQ(precision(Part::kDetector), "float32");
}

TEST_F(Convert, HalfPrecisionCheckpoints) {
  for (model::SmallTensor& t : tensors) t.type = DType::kFloat16;
  convert();
  expect_equal_answers({1, 3, 64, 64}, true);
}

TEST_F(Convert, WrongOptions) {
  options.card = "no-such-card";
  expect_error(ErrorCode::kNotFound, {"no-such-card", "pixelseal"}, [&] { convert(); });
  options.card = "pixelseal";
  expect_error(ErrorCode::kMismatch, {"'pixelseal'", "downsample_layers.0.0.weight", "more tensors"},
               [&] { convert(); });
  options.card = "";
  expect_error(ErrorCode::kMismatch, {"--card"}, [&] { convert(); });  // no args in the file
  options.card = card.string();
  options.image_size = 16;
  expect_error(ErrorCode::kUsage, {"small", "16x16", "too small"}, [&] { convert(); });
  expect_error(ErrorCode::kNotFound, {"absent.pth"},
               [&] { convert_detector(folder / "absent.pth", output, options); });
  ConvertOptions sam;
  sam.image_size = 128;
  expect_error(ErrorCode::kUnsupported, {"videoseal_0.0_tiny", "256x256", "--image-size"},
               [&] { convert_detector(fixture("videoseal_0.0_tiny.pth"), output, sam); });
  sam.image_size = 0;
  sam.dynamic = true;
  expect_error(ErrorCode::kUnsupported, {"videoseal_0.0_tiny", "--dynamic", "positions"},
               [&] { convert_detector(fixture("videoseal_0.0_tiny.pth"), output, sam); });
  EXPECT_FALSE(std::filesystem::exists(output));
}

class ConvertPixelwise : public Convert {
 protected:
  ConvertPixelwise() : Convert("pixelwise: true, upscale_type: pixelshuffle, upscale_stages: [2]") {}
};

TEST_F(ConvertPixelwise, EachLayoutAndSize) {
  for (const bool nchw : {true, false}) {
    options.layout = nchw ? ImageLayout::kNchw : ImageLayout::kNhwc;
    options.dynamic = false;
    EXPECT_EQ(convert().output_shape, (nchw ? Shape{1, 7, 4, 4} : Shape{1, 4, 4, 7}));
    expect_equal_answers(nchw ? Shape{1, 3, 64, 64} : Shape{1, 64, 64, 3}, nchw);
    options.dynamic = true;
    EXPECT_EQ(convert().output_shape, (nchw ? Shape{-1, 7, -1, -1} : Shape{-1, -1, -1, 7}));
    expect_equal_answers(nchw ? Shape{2, 3, 96, 64} : Shape{2, 96, 64, 3}, nchw);
  }
}

TEST_F(ConvertPixelwise, DetectionAveragesThePixels) {
  convert();
  Detector detector = load_detector(output);
  EXPECT_EQ(detector.bits(), 6U);
  EXPECT_EQ(detect_file(detector, fixture("coffee.png")).logits.size(), 7U);
}

class ConvertUpscaled : public Convert {
 protected:
  ConvertUpscaled() : Convert("upscale_type: bilinear, upscale_stages: [2, 1], sigmoid_output: true") {}
};

TEST_F(ConvertUpscaled, RunsButNotAtFreeSizes) {
  convert();
  expect_equal_answers({1, 3, 64, 64}, true);
  options.dynamic = true;
  expect_error(ErrorCode::kUnsupported, {"--dynamic", "upscale_stages"}, [&] { convert(); });
}

}  // namespace
}  // namespace sealite

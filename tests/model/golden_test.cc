// The model files against the reference code's own numbers (tests/reference) and against torch.nn (data/).
#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "evaluate/evaluate.h"
#include "fixture_files.h"
#include "graph/builder.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "model/pixel_decoder.h"
#include "model/small_checkpoint.h"
#include "reference_images.h"

namespace sealite::model {
namespace {

struct GoldenCase {
  const char* checkpoint;
  const char* name;
  double tolerance;
};

void PrintTo(const GoldenCase& c, std::ostream* out) {
  *out << c.checkpoint;
}

// |difference| <= tolerance + tolerance * |reference|. PyTorch's own float32 logits are 0.2 to 0.4 times that
// limit away from its float64 ones for the first three. demo was trained, and its logits reach 10: there they
// are 1.9 times 2e-6 away in the fixture (torch 2.14) and 2.8 times in torch 2.13 on another machine, 3.6
// times from each other. So nothing below 1.9 + 2.8 times is asked of us either.
constexpr double kTolerance = 2e-6;
constexpr double kDemoTolerance = 1e-5;

class GoldenDetector : public ::testing::TestWithParam<GoldenCase> {};

graph::Graph build(const std::string& checkpoint, ImageLayout layout, const Shape& images) {
  const auto file = open_checkpoint(fixture(checkpoint + ".pth"));
  const Card card = derive_card(*file);
  InterfaceOptions options;
  options.layout = layout;
  options.batch = images[0];
  options.height = images[2];
  options.width = images[3];
  graph::Graph graph = build_detector_graph(*make_detector(card), Weights(file), options);
  verify(graph);
  return graph;
}

TEST_P(GoldenDetector, EqualsPyTorch) {
  const std::string name = GetParam().name;
  const Npy images = detector_images(name);
  const Npy logits = read_npy(fixture(name + ".detector_logits.npy"));
  const auto outputs = evaluate::evaluate(build(GetParam().checkpoint, ImageLayout::kNchw, images.shape),
                                          {{images.shape, images.values}});
  EXPECT_EQ(outputs.at(0).shape, logits.shape);
  expect_near(outputs[0].values, logits.values, GetParam().tolerance, GetParam().tolerance);
}

TEST_P(GoldenDetector, NhwcBorderGivesTheSame) {
  const std::string name = GetParam().name;
  Npy images = detector_images(name);
  images.values.resize(images.values.size() / 4);
  images.shape[0] = 1;
  graph::Graph transpose;
  graph::Builder builder(transpose);
  transpose.outputs = {
      builder.add("nhwc", graph::Transpose{{0, 2, 3, 1}}, {builder.input("x", images.shape)})};
  const auto nchw = evaluate::evaluate(build(GetParam().checkpoint, ImageLayout::kNchw, images.shape),
                                       {{images.shape, images.values}});
  const auto nhwc = evaluate::evaluate(build(GetParam().checkpoint, ImageLayout::kNhwc, images.shape),
                                       evaluate::evaluate(transpose, {{images.shape, images.values}}));
  EXPECT_EQ(nhwc.at(0).values, nchw.at(0).values);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenDetector,
                         ::testing::Values(GoldenCase{"chunkyseal_tiny", "chunkyseal_tiny", kTolerance},
                                           GoldenCase{"chunkyseal_tiny_detector_only", "chunkyseal_tiny",
                                                      kTolerance},
                                           GoldenCase{"pixelseal_tiny", "pixelseal_tiny", kTolerance},
                                           GoldenCase{"videoseal_1.0_tiny", "videoseal_1.0_tiny", kTolerance},
                                           GoldenCase{"videoseal_0.0_tiny", "videoseal_0.0_tiny", kTolerance},
                                           GoldenCase{"demo", "demo", kDemoTolerance}));

struct DecoderCase {
  const char* name;
  UpscaleType type;
  std::vector<std::int64_t> stages;
  bool pixelwise;
  bool sigmoid;
};

void PrintTo(const DecoderCase& c, std::ostream* out) {
  *out << c.name;
}

class GoldenDecoder : public ::testing::TestWithParam<DecoderCase> {};

TEST_P(GoldenDecoder, EqualsPyTorch) {
  const DecoderCase& c = GetParam();
  const auto file =
      open_checkpoint(std::string(SEALITE_SOURCE_DIR "/tests/model/data/decoder_") + c.name + ".pth");
  const Weights weights(file);
  PixelDecoderCard card;
  card.upscale_type = c.type;
  card.upscale_stages = c.stages;
  card.pixelwise = c.pixelwise;
  card.sigmoid_output = c.sigmoid;
  const auto latents = weights.source("latents");
  const auto logits = weights.source("logits");
  ParameterList list;
  add_pixel_decoder_parameters(list, card, latents->shape()[1], logits->shape()[1] - 1);
  check_parameters(*file, list.take(), c.name);

  graph::Graph graph;
  graph::Builder builder(graph);
  graph::ValueId x = builder.input("latents", latents->shape());
  x = builder.add("nhwc", graph::Transpose{{0, 2, 3, 1}}, {x});
  x = build_pixel_decoder(builder, weights, card, x);
  if (c.pixelwise) x = builder.add("nchw", graph::Transpose{{0, 3, 1, 2}}, {x});
  graph.outputs = {x};
  verify(graph);
  const auto outputs = evaluate::evaluate(graph, {{latents->shape(), read_floats(*latents)}});
  EXPECT_EQ(outputs.at(0).shape, logits->shape());
  expect_near(outputs[0].values, read_floats(*logits), 1e-6, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Torch, GoldenDecoder,
    ::testing::Values(DecoderCase{"bilinear_1", UpscaleType::kBilinear, {1}, false, false},
                      DecoderCase{"bilinear_2", UpscaleType::kBilinear, {2}, false, false},
                      DecoderCase{"bilinear_2_pixelwise", UpscaleType::kBilinear, {2}, true, false},
                      DecoderCase{"nearest_2", UpscaleType::kNearest, {2}, false, true},
                      DecoderCase{"nearest_2_2_pixelwise", UpscaleType::kNearest, {2, 2}, true, true},
                      DecoderCase{"conv_2_pixelwise", UpscaleType::kConv, {2}, true, false},
                      DecoderCase{"conv_1_2", UpscaleType::kConv, {1, 2}, false, false},
                      DecoderCase{"pixelshuffle_2_pixelwise", UpscaleType::kPixelShuffle, {2}, true, false},
                      DecoderCase{"pixelshuffle_2_1", UpscaleType::kPixelShuffle, {2, 1}, false, false}));

TEST(GoldenInterface, PixelwiseLogitsFollowTheLayout) {
  const Card card =
      parse_card("small",
                 "args: {nbits: 6}\nextractor: {model: convnext_tiny, params: {encoder: {depths: "
                 "[1, 1, 1, 1], dims: [4, 4, 8, 8]}, pixel_decoder: {pixelwise: true}}}");
  const auto network = make_detector(card);
  const ScratchFolder folder;
  write_checkpoint(folder / "small.pth", random_tensors(network->parameters()));
  const Weights weights(open_checkpoint(folder / "small.pth"));
  InterfaceOptions options;
  options.height = 96;
  options.width = 64;
  const auto nchw = build_detector_graph(*network, weights, options);
  EXPECT_EQ(nchw.shape(nchw.outputs[0]), (Shape{1, 7, 3, 2}));
  options.layout = ImageLayout::kNhwc;
  const auto nhwc = build_detector_graph(*network, weights, options);
  EXPECT_EQ(nhwc.shape(nhwc.outputs[0]), (Shape{1, 3, 2, 7}));
}

}  // namespace
}  // namespace sealite::model

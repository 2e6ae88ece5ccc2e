// Networks that no fixture has, against torch.nn (data/make_networks.py).
#include <gtest/gtest.h>

#include "evaluate/evaluate.h"
#include "expect_error.h"
#include "fixture_files.h"
#include "float_checks.h"
#include "model/card.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "model/embedder_graph.h"
#include "model/small_checkpoint.h"
#include "model/vit.h"
#include "passes/pass.h"

namespace sealite::model {
namespace {

struct NetworkCase {
  const char* file;
  const char* card;
};

void PrintTo(const NetworkCase& c, std::ostream* out) {
  *out << c.file;
}

class TorchNetwork : public ::testing::TestWithParam<NetworkCase> {
 protected:
  evaluate::Tensor tensor(const std::string& name) const {
    const auto source = weights.source(name);
    return {source->shape(), read_floats(*source)};
  }
  InterfaceOptions border(const evaluate::Tensor& images) const {
    InterfaceOptions options;
    options.batch = images.shape[0];
    options.height = images.shape[2];
    options.width = images.shape[3];
    return options;
  }
  // As built, and after the passes that `convert` runs.
  static void expect_answers(graph::Graph graph, const std::vector<evaluate::Tensor>& inputs,
                             const evaluate::Tensor& wanted, double tolerance) {
    verify(graph);
    EXPECT_EQ(graph.shape(graph.outputs[0]), wanted.shape);
    expect_near(evaluate::evaluate(graph, inputs).at(0).values, wanted.values, tolerance, tolerance,
                "as built");
    passes::run_pipeline(graph, {});
    verify(graph);
    expect_near(evaluate::evaluate(graph, inputs).at(0).values, wanted.values, tolerance, tolerance,
                "after the passes");
  }

  const Card card = parse_card("small", GetParam().card);
  const Weights weights{
      open_checkpoint(std::string(SEALITE_SOURCE_DIR "/tests/model/data/") + GetParam().file + ".pth")};
};

class TorchVit : public TorchNetwork {};

TEST_P(TorchVit, GivesTheLogits) {
  const auto network = make_detector(card);
  check_parameters(weights.checkpoint(), network->parameters(), "small");
  const evaluate::Tensor images = tensor("images");
  expect_answers(build_detector_graph(*network, weights, border(images)), {images}, tensor("logits"), 2e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Cards, TorchVit,
    ::testing::Values(
        NetworkCase{"vit_padded",
                    "args: {nbits: 5, img_size_proc: 20}\nextractor: {model: sam_tiny, params: {encoder: "
                    "{embed_dim: 12, num_heads: 3, depth: 3, patch_size: 4, window_size: 3, "
                    "global_attn_indexes: [1], mlp_ratio: 2, out_chans: 8, use_rel_pos: true}}}"},
        NetworkCase{"vit_plain",
                    "args: {nbits: 5, img_size_proc: 16}\nextractor: {model: sam_tiny, params: {encoder: "
                    "{embed_dim: 8, num_heads: 2, depth: 2, patch_size: 4, mlp_ratio: 3, out_chans: 8, "
                    "qkv_bias: false, use_abs_pos: false}}}"}));

// Positions tell the windows; without them, and without relative ones, a card has to.
TEST(TorchVitCards, FromTheTensors) {
  const std::string data = SEALITE_SOURCE_DIR "/tests/model/data/";
  const Card padded = derive_card(*open_checkpoint(data + "vit_padded.pth"));
  const auto& vit = std::any_cast<const VitCard&>(padded.detector.encoder);
  EXPECT_EQ(padded.bits, 5);
  EXPECT_EQ(vit.grid, 5);
  EXPECT_EQ(vit.window(0), 3);
  EXPECT_EQ(vit.window(1), 5);
  EXPECT_EQ(vit.num_heads, 3);
  EXPECT_EQ(vit.mlp_dim, 24);
  expect_error(ErrorCode::kMismatch, {"pos_embed", "--card"},
               [&] { derive_card(*open_checkpoint(data + "vit_plain.pth")); });
}

class TorchUNet : public TorchNetwork {};

TEST_P(TorchUNet, GivesTheDelta) {
  const auto network = make_embedder(card);
  check_parameters(weights.checkpoint(), network->parameters(), "small");
  const evaluate::Tensor images = tensor("images");
  expect_answers(build_embedder_graph(*network, weights, border(images)), {images, tensor("messages")},
                 tensor("delta"), 5e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Cards, TorchUNet,
    ::testing::Values(
        NetworkCase{
            "unet_group_gelu",
            "args: {nbits: 5, img_size_proc: 16, hidden_size_multiplier: 1.6}\nextractor: {model: x}\n"
            "embedder: {model: unet_small, params: {unet: {z_channels: 8, z_channels_mults: [1, 2], "
            "num_blocks: 1, normalization: group, activation: gelu}}}"},
        NetworkCase{
            "unet_layer_leakyrelu",
            "args: {nbits: 5, img_size_proc: 16, hidden_size_multiplier: 1.6}\nextractor: {model: x}\n"
            "embedder: {model: unet_small, params: {unet: {z_channels: 8, z_channels_mults: [1, 2], "
            "num_blocks: 1, normalization: layer, activation: leakyrelu}}}"}));

struct BrokenVit {
  const char* says;
  const char* encoder;
};

TEST(VitCards, AreChecked) {
  for (const BrokenVit& c :
       {BrokenVit{"no multiple of num_heads", "embed_dim: 10, num_heads: 3"},
        BrokenVit{"patches on a side", "patch_size: 300"}, BrokenVit{"window of 20", "window_size: 20"},
        BrokenVit{"mlp_ratio", "mlp_ratio: -1"}, BrokenVit{"mlp_ratio", "mlp_ratio: 1e300"},
        BrokenVit{"temporal", "temporal_attention: true"}, BrokenVit{"depth", "depth: 0"},
        BrokenVit{"window_size", "window_size: -8"}}) {
    try {
      parse_card("test", std::string("args: {nbits: 5}\nextractor: {model: sam_x, params: {encoder: {") +
                             c.encoder + "}}}");
      ADD_FAILURE() << c.encoder << " is accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find(c.says), std::string_view::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace sealite::model

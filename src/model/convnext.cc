// ConvNeXtV2 (videoseal modules/convnext.py) with a pixel decoder: chunkyseal, pixelseal, videoseal_1.0.
#include "model/convnext.h"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "model/layers.h"
#include "model/network.h"
#include "model/pixel_decoder.h"

namespace sealite::model {
namespace {

using namespace graph;

constexpr float kEpsilon = 1e-6F;
constexpr std::int64_t kStemKernel = 4;
constexpr std::int64_t kDepthwiseKernel = 7;

std::string downsample_name(std::size_t stage, int module) {
  return fmt::format("detector.convnext.downsample_layers.{}.{}", stage, module);
}

std::string convnext_block(std::size_t stage, std::int64_t block) {
  return fmt::format("detector.convnext.stages.{}.{}.", stage, block);
}

class ConvNext : public DetectorNetwork {
 public:
  explicit ConvNext(const Card& card)
      : card_(std::any_cast<const ConvNextCard&>(card.detector.encoder)),
        decoder_(card.detector.pixel_decoder),
        bits_(card.bits) {}

  std::vector<Parameter> parameters() const override {
    ParameterList list;
    list.linear(downsample_name(0, 0), {card_.dims[0], 3, kStemKernel, kStemKernel});
    list.norm(downsample_name(0, 1), card_.dims[0]);
    for (std::size_t stage = 1; stage < card_.dims.size(); ++stage) {
      list.norm(downsample_name(stage, 0), card_.dims[stage - 1]);
      list.linear(downsample_name(stage, 1), {card_.dims[stage], card_.dims[stage - 1], 2, 2});
    }
    for (std::size_t stage = 0; stage < card_.dims.size(); ++stage) {
      for (std::int64_t block = 0; block < card_.depths[stage]; ++block) {
        add_block(list, convnext_block(stage, block), card_.dims[stage]);
      }
    }
    add_pixel_decoder_parameters(list, decoder_, card_.dims.back(), bits_);
    return list.take();
  }

  ValueId build(const Weights& weights, Builder& builder, ValueId image) const override {
    ValueId x = to_signed_range(builder, image);
    for (std::size_t stage = 0; stage < card_.dims.size(); ++stage) {
      x = downsample(weights, builder, stage, x);
      for (std::int64_t block = 0; block < card_.depths[stage]; ++block) {
        x = build_block(weights, builder, convnext_block(stage, block), x);
      }
    }
    return build_pixel_decoder(builder, weights, decoder_, x);
  }

 private:
  static void add_block(ParameterList& list, const std::string& name, std::int64_t dim) {
    list.linear(name + "dwconv", {dim, 1, kDepthwiseKernel, kDepthwiseKernel});
    list.norm(name + "norm", dim);
    list.linear(name + "pwconv1", {4 * dim, dim});
    list.add({name + "grn.gamma", {1, 1, 1, 4 * dim}, 0, 0.5F});
    list.add({name + "grn.beta", {1, 1, 1, 4 * dim}, 0, 0.1F});
    list.linear(name + "pwconv2", {dim, 4 * dim});
  }

  ValueId downsample(const Weights& weights, Builder& builder, std::size_t stage, ValueId x) const {
    if (stage == 0) {
      x = conv2d(builder, weights, downsample_name(0, 0), x, card_.stem_stride, Padding::kValid);
      return layer_norm(builder, weights, downsample_name(0, 1), x, kEpsilon);
    }
    x = layer_norm(builder, weights, downsample_name(stage, 0), x, kEpsilon);
    return conv2d(builder, weights, downsample_name(stage, 1), x, 2, Padding::kValid);
  }

  static ValueId build_block(const Weights& weights, Builder& builder, const std::string& name, ValueId x) {
    ValueId y = builder.marked(depthwise_conv2d(builder, weights, name + "dwconv", x), Mark::kBlockInput);
    y = layer_norm(builder, weights, name + "norm", y, kEpsilon);
    y = linear(builder, weights, name + "pwconv1", y);
    y = builder.unary(name + "act", UnaryKind::kGelu, y);
    y = global_response_norm(weights, builder, name + "grn", y);
    y = linear(builder, weights, name + "pwconv2", y);
    return builder.binary(name + "residual", BinaryKind::kAdd, x, y);
  }

  static ValueId global_response_norm(const Weights& weights, Builder& builder, const std::string& name,
                                      ValueId x) {
    const std::int64_t channels = builder.shape(x).back();
    const auto vector = [&](const std::string& tensor) {  // [1,1,1,C] -> [C]
      return builder.constant(tensor, reshaped(weights.source(tensor), {channels}));
    };
    return builder.add(name, GlobalResponseNorm{kEpsilon},
                       {x, vector(name + ".gamma"), vector(name + ".beta")});
  }

  ConvNextCard card_;
  PixelDecoderCard decoder_;
  std::int64_t bits_;
};

// videoseal models/extractor.py: dims grow with the square root of the message, 128 bits being the base.
void grow_dims(ConvNextCard& card, std::int64_t bits) {
  for (std::int64_t& dim : card.dims) {
    dim = static_cast<std::int64_t>(static_cast<double>(dim) * std::sqrt(static_cast<double>(bits) / 128.0));
    if (dim < 1) fail(ErrorCode::kMalformed, "proportional_dim leaves a stage without channels");
  }
}

std::any read_convnext_card(const CardSection& params, const Card& card) {
  ConvNextCard convnext;
  const CardSection encoder = params.child("encoder");
  convnext.depths = encoder.repeats("depths", std::vector<std::int64_t>{3, 3, 9, 3});
  convnext.dims = encoder.dimensions("dims", {96, 192, 384, 768});
  convnext.stem_stride = encoder.dimension("stem_stride", 4);
  if (params.get("proportional_dim", false)) grow_dims(convnext, card.bits);
  if (convnext.dims.size() != convnext.depths.size()) {
    fail(ErrorCode::kMalformed, "'depths' has {} stages, 'dims' {}", convnext.depths.size(),
         convnext.dims.size());
  }
  return convnext;
}

// What a model name implies that shapes do not tell: both strides have a 4x4 stem kernel.
struct KnownModel {
  std::string_view model;
  std::int64_t stem_stride;
};
constexpr KnownModel kKnownModels[] = {
    {"convnext_tiny", 4}, {"convnext_base", 4}, {"convnext_chunky", 2}, {"convnext_sweep_3_prop_stride2", 2}};

DerivedEncoder derive_convnext(const checkpoint::Checkpoint& checkpoint, const std::string& model) {
  constexpr std::size_t kStages = 4;
  ConvNextCard card;
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    const std::string conv = downsample_name(stage, stage == 0 ? 0 : 1) + ".weight";
    card.dims.push_back(required_shape(checkpoint, conv, 4)[0]);
    std::int64_t depth = 0;
    while (checkpoint.find(convnext_block(stage, depth) + "dwconv.weight") != nullptr) ++depth;
    if (depth == 0) fail(ErrorCode::kMismatch, "stage {} of the detector has no blocks", stage);
    card.depths.push_back(depth);
  }
  const auto* known = std::ranges::find(kKnownModels, model, &KnownModel::model);
  if (known == std::end(kKnownModels)) {
    fail(ErrorCode::kMismatch,
         "'{}' does not say how its detector's stem strides (args: extractor_model is '{}'); give --card ({} "
         "or a YAML file)",
         checkpoint.path().string(), model, fmt::join(card_names(), ", "));
  }
  card.stem_stride = known->stem_stride;
  const std::int64_t channels = card.dims.back();
  return {std::move(card), channels};
}

std::unique_ptr<DetectorNetwork> make_convnext(const Card& card) {
  return std::make_unique<ConvNext>(card);
}

}  // namespace

const DetectorArchitecture kConvNext = {"ConvNeXtV2",       "convnext",      "detector.convnext.",
                                        read_convnext_card, derive_convnext, make_convnext};

}  // namespace sealite::model

#include "model/pixel_decoder.h"

#include "base/error.h"

namespace sealite::model {
namespace {

using namespace graph;

constexpr float kDecoderEpsilon = 1e-6F;
constexpr const char* kDecoderRoot = "detector.pixel_decoder.";

std::string stage_name(std::size_t stage) {
  return fmt::format("{}output_upscaling.{}.upsample_block.", kDecoderRoot, stage);
}

ValueId gelu(Builder& builder, const std::string& name, ValueId x) {
  return builder.unary(name + "act", UnaryKind::kGelu, x);
}

// Resize by `factor`, reflection pad, 3x3 convolution without bias, norm, GELU.
ValueId resized_stage(Builder& builder, const Weights& weights, const std::string& name, UpscaleType type,
                      std::int64_t factor, ValueId x) {
  if (factor > 1) {
    const Shape& shape = builder.shape(x);
    const std::int64_t height = shape[1] * factor;
    const std::int64_t width = shape[2] * factor;
    const Op resize =
        type == UpscaleType::kBilinear ? Op(ResizeBilinear{height, width}) : Op(ResizeNearest{height, width});
    x = builder.add(name + "0", resize, {x});
  }
  x = builder.add(name + "1", ReflectionPad{1}, {x});
  x = conv2d(builder, weights, name + "2", x, 1, Padding::kValid, false);
  x = layer_norm(builder, weights, name + "3", x, kDecoderEpsilon);
  return gelu(builder, name, x);
}

// nn.ConvTranspose2d with kernel = stride = factor touches every output pixel once: a product that gives
// factor^2 pixels for each input pixel, then DEPTH_TO_SPACE.
ValueId transposed_stage(Builder& builder, const Weights& weights, const std::string& name,
                         std::int64_t factor, ValueId x) {
  const SourcePtr iohw = weights.source(name + "0.weight");
  const std::int64_t in = iohw->shape()[0];
  const std::int64_t out = iohw->shape()[1];
  const std::int64_t rows = factor * factor * out;
  const SourcePtr filter = reshaped(permuted(iohw, {2, 3, 1, 0}), {rows, in});  // HWOI: pixel-major rows
  const std::vector<float> bias = read_floats(*weights.source(name + "0.bias"));
  std::vector<float> repeated;
  for (std::int64_t i = 0; i < factor * factor; ++i)
    repeated.insert(repeated.end(), bias.begin(), bias.end());
  x = builder.add(name + "0", FullyConnected{},
                  {x, builder.constant(name + "0.weight", filter),
                   builder.constant(name + "0.bias", {rows}, std::move(repeated))});
  if (factor > 1) x = builder.add(name + "0.shuffle", DepthToSpace{factor}, {x});
  x = layer_norm(builder, weights, name + "1", x, kDecoderEpsilon);
  return gelu(builder, name, x);
}

// PyTorch's PixelShuffle reads channel c*f*f + p, DEPTH_TO_SPACE p*C + c: the rows of the convolution, its
// norm's gamma and beta move accordingly.
ValueId shuffled_stage(Builder& builder, const Weights& weights, const std::string& name, std::int64_t factor,
                       ValueId x) {
  const SourcePtr oihw = weights.source(name + "0.weight");
  const std::int64_t rows = oihw->shape()[0];
  const std::int64_t pixels = factor * factor;
  std::vector<std::int64_t> order;
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t c = 0; c < rows / pixels; ++c) order.push_back(c * pixels + p);
  }
  const SourcePtr filter = taken(reshaped(oihw, {rows, oihw->shape()[1]}), 0, order);
  x = builder.add(name + "0", FullyConnected{},
                  {x, builder.constant(name + "0.weight", filter),
                   builder.constant(name + "0.bias", filled({rows}, 0.0F))});
  const auto moved = [&](const std::string& tensor) {
    return builder.constant(tensor, taken(weights.source(tensor), 0, order));
  };
  x = builder.add(name + "1", LayerNorm{kDecoderEpsilon},
                  {x, moved(name + "1.weight"), moved(name + "1.bias")});
  x = gelu(builder, name, x);
  return factor > 1 ? builder.add(name + "3", DepthToSpace{factor}, {x}) : x;
}

}  // namespace

void add_pixel_decoder_parameters(ParameterList& list, const PixelDecoderCard& card, std::int64_t channels,
                                  std::int64_t bits) {
  for (std::size_t stage = 0; stage < card.upscale_stages.size(); ++stage) {
    const std::int64_t factor = card.upscale_stages[stage];
    const std::int64_t out = channels / factor;
    if (out < 1) fail(ErrorCode::kMismatch, "upscale stage {}: {} channels / {}", stage, channels, factor);
    const std::string name = stage_name(stage);
    switch (card.upscale_type) {
      case UpscaleType::kBilinear:
      case UpscaleType::kNearest:
        list.linear(name + "2", {out, channels, 3, 3}, false);
        list.norm(name + "3", out);
        break;
      case UpscaleType::kConv:
        list.add({name + "0.weight", {channels, out, factor, factor}, 0, 0.1F});
        list.add({name + "0.bias", {out}, 0, 0.1F});
        list.norm(name + "1", out);
        break;
      case UpscaleType::kPixelShuffle:
        list.linear(name + "0", {out * factor * factor, channels, 1, 1}, false);
        list.norm(name + "1", out * factor * factor);
        break;
    }
    channels = out;
  }
  list.linear(std::string(kDecoderRoot) + "linear",
              card.pixelwise ? Shape{bits + 1, channels, 1, 1} : Shape{bits + 1, channels});
}

ValueId build_pixel_decoder(Builder& builder, const Weights& weights, const PixelDecoderCard& card,
                            ValueId latents) {
  ValueId x = latents;
  for (std::size_t stage = 0; stage < card.upscale_stages.size(); ++stage) {
    const std::int64_t factor = card.upscale_stages[stage];
    const std::string name = stage_name(stage);
    switch (card.upscale_type) {
      case UpscaleType::kBilinear:
      case UpscaleType::kNearest:
        x = resized_stage(builder, weights, name, card.upscale_type, factor, x);
        break;
      case UpscaleType::kConv:
        x = transposed_stage(builder, weights, name, factor, x);
        break;
      case UpscaleType::kPixelShuffle:
        x = shuffled_stage(builder, weights, name, factor, x);
        break;
    }
  }
  if (card.pixelwise) {
    x = conv2d(builder, weights, std::string(kDecoderRoot) + "linear", x, 1, Padding::kValid);
  } else {
    x = builder.mean(std::string(kDecoderRoot) + "mean", x, {1, 2}, false);
    x = linear(builder, weights, std::string(kDecoderRoot) + "linear", x);
  }
  builder.marked(x, Mark::kHead);
  return card.sigmoid_output ? builder.unary(std::string(kDecoderRoot) + "sigmoid", UnaryKind::kLogistic, x)
                             : x;
}

}  // namespace sealite::model

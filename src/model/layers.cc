#include "model/layers.h"

namespace sealite::model {
namespace {

using namespace graph;

ValueId bias_or_zero(Builder& builder, const Weights& weights, const std::string& name, std::int64_t channels,
                     bool bias) {
  return builder.constant(name + ".bias", bias ? weights.source(name + ".bias") : filled({channels}, 0.0F));
}

// The output of a layer is the stem's if the layer reads the picture.
ValueId stem_or_not(Builder& builder, ValueId x, ValueId y) {
  return builder.mark(x) == Mark::kPicture ? builder.marked(y, Mark::kStem) : y;
}

}  // namespace

ValueId conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
               std::int64_t stride, Padding padding, bool bias) {
  const SourcePtr filter = permuted(weights.source(name + ".weight"), {0, 2, 3, 1});  // OIHW -> OHWI
  const ValueId b = bias_or_zero(builder, weights, name, filter->shape()[0], bias);
  const ValueId y =
      builder.add(name, Conv2D{stride, padding}, {x, builder.constant(name + ".weight", filter), b});
  return stem_or_not(builder, x, y);
}

ValueId depthwise_conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
  const SourcePtr filter = permuted(weights.source(name + ".weight"), {1, 2, 3, 0});  // C1HW -> 1HWC
  const ValueId b = bias_or_zero(builder, weights, name, filter->shape()[3], true);
  return builder.add(name, DepthwiseConv2D{}, {x, builder.constant(name + ".weight", filter), b});
}

ValueId linear(Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
  const SourcePtr filter = weights.source(name + ".weight");  // OI already
  const ValueId b = bias_or_zero(builder, weights, name, filter->shape()[0], true);
  return builder.add(name, FullyConnected{}, {x, builder.constant(name + ".weight", filter), b});
}

ValueId layer_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                   float epsilon) {
  return builder.add(name, LayerNorm{epsilon},
                     {x, builder.constant(name + ".weight", weights.source(name + ".weight")),
                      builder.constant(name + ".bias", weights.source(name + ".bias"))});
}

ValueId pointwise_conv2d(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                         bool bias) {
  const SourcePtr oihw = weights.source(name + ".weight");
  const SourcePtr filter = reshaped(oihw, {oihw->shape()[0], oihw->shape()[1]});
  const ValueId b = bias_or_zero(builder, weights, name, filter->shape()[0], bias);
  const ValueId y = builder.add(name, FullyConnected{}, {x, builder.constant(name + ".weight", filter), b});
  return stem_or_not(builder, x, y);
}

ValueId batch_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x,
                   float epsilon) {
  std::vector<ValueId> inputs = {x};
  for (const char* tensor : {".weight", ".bias", ".running_mean", ".running_var"})
    inputs.push_back(builder.constant(name + tensor, weights.source(name + tensor)));
  return builder.add(name, BatchNorm{epsilon}, std::move(inputs));
}

ValueId channel_rms_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
  const SourcePtr gamma = weights.source(name + ".gamma");
  return builder.add(name, RmsNorm{},
                     {x, builder.constant(name + ".gamma", reshaped(gamma, {gamma->shape()[0]}))});
}

ValueId group_norm(Builder& builder, const Weights& weights, const std::string& name, ValueId x) {
  return builder.add(name, GroupNorm{},
                     {x, builder.constant(name + ".weight", weights.source(name + ".weight")),
                      builder.constant(name + ".bias", weights.source(name + ".bias"))});
}

ValueId luma(Builder& builder, ValueId rgb) {
  const ValueId filter = builder.constant("luma.weight", {1, 3}, {0.299F, 0.587F, 0.114F});
  const ValueId y =
      builder.add("luma", FullyConnected{}, {rgb, filter, builder.constant("luma.bias", {1}, {0.0F})});
  return builder.marked(y, builder.mark(rgb));
}

ValueId to_signed_range(Builder& builder, ValueId image) {
  const ValueId doubled = builder.binary("preprocess.double", BinaryKind::kMul, image,
                                         builder.constant("preprocess.two", {}, {2.0F}));
  const ValueId y =
      builder.binary("preprocess", BinaryKind::kSub, doubled, builder.constant("preprocess.one", {}, {1.0F}));
  return builder.marked(y, builder.mark(image));
}

}  // namespace sealite::model

#include "graph/op.h"

namespace sealite::graph {
namespace {

std::string_view binary_name(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "ADD";
    case BinaryKind::kSub:
      return "SUB";
    case BinaryKind::kMul:
      return "MUL";
    case BinaryKind::kDiv:
      return "DIV";
    case BinaryKind::kSquaredDifference:
      return "SQUARED_DIFFERENCE";
  }
  return "BINARY";
}

std::string_view unary_name(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kSqrt:
      return "SQRT";
    case UnaryKind::kRsqrt:
      return "RSQRT";
    case UnaryKind::kGelu:
      return "GELU";
    case UnaryKind::kTanh:
      return "TANH";
    case UnaryKind::kLogistic:
      return "LOGISTIC";
    case UnaryKind::kRelu:
      return "RELU";
  }
  return "UNARY";
}

}  // namespace

Activation activation_of(const Op& op) {
  if (const auto* conv = std::get_if<Conv2D>(&op)) return conv->activation;
  if (const auto* product = std::get_if<FullyConnected>(&op)) return product->activation;
  if (const auto* binary = std::get_if<Binary>(&op)) return binary->activation;
  return Activation::kNone;
}

std::string_view op_name(const Op& op) {
  using View = std::string_view;
  return std::visit(
      Overloaded{
          [](const Conv2D&) -> View { return "CONV_2D"; },
          [](const DepthwiseConv2D&) -> View { return "DEPTHWISE_CONV_2D"; },
          [](const FullyConnected&) -> View { return "FULLY_CONNECTED"; },
          [](const BatchMatMul&) -> View { return "BATCH_MATMUL"; },
          [](const Binary& binary) -> View { return binary_name(binary.kind); },
          [](const Unary& unary) -> View { return unary_name(unary.kind); },
          [](const LeakyRelu&) -> View { return "LEAKY_RELU"; },
          [](const Softmax&) -> View { return "SOFTMAX"; },
          [](const Reduce& reduce) -> View { return reduce.kind == ReduceKind::kMean ? "MEAN" : "SUM"; },
          [](const ReflectionPad&) -> View { return "MIRROR_PAD"; },
          [](const ZeroPad&) -> View { return "PAD"; },
          [](const Concatenation&) -> View { return "CONCATENATION"; },
          [](const Slice&) -> View { return "SLICE"; },
          [](const Reshape&) -> View { return "RESHAPE"; },
          [](const Transpose&) -> View { return "TRANSPOSE"; },
          [](const ResizeBilinear&) -> View { return "RESIZE_BILINEAR"; },
          [](const ResizeNearest&) -> View { return "RESIZE_NEAREST_NEIGHBOR"; },
          [](const Dequantize&) -> View { return "DEQUANTIZE"; },
          [](const DepthToSpace&) -> View { return "DEPTH_TO_SPACE"; },
          [](const LayerNorm&) -> View { return "LAYER_NORM"; },
          [](const GlobalResponseNorm&) -> View { return "GRN"; },
          [](const BatchNorm&) -> View { return "BATCH_NORM"; },
          [](const RmsNorm&) -> View { return "RMS_NORM"; },
          [](const GroupNorm&) -> View { return "GROUP_NORM"; },
      },
      op);
}

bool is_composite(const Op& op) {
  return std::holds_alternative<LayerNorm>(op) || std::holds_alternative<GlobalResponseNorm>(op) ||
         std::holds_alternative<BatchNorm>(op) || std::holds_alternative<RmsNorm>(op) ||
         std::holds_alternative<GroupNorm>(op);
}

}  // namespace sealite::graph

#include "model_file/import_op.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace sealite::model_file {
namespace {

using tfl::BuiltinOperator;

class OpImporter {
 public:
  OpImporter(BuiltinOperator code, const tfl::Operator& op, const ReadList& read_list)
      : code_(code), op_(op), read_list_(read_list) {}

  ImportedOp import() const {
    switch (code_) {
      case BuiltinOperator::CONV_2D:
        return {conv(), 3};
      case BuiltinOperator::DEPTHWISE_CONV_2D:
        return {depthwise(), 3};
      case BuiltinOperator::FULLY_CONNECTED:
        return {fully_connected(), 3};
      case BuiltinOperator::ADD:
        return {binary(graph::BinaryKind::kAdd, options<tfl::AddOptions>()), 2};
      case BuiltinOperator::SUB:
        return {binary(graph::BinaryKind::kSub, options<tfl::SubOptions>()), 2};
      case BuiltinOperator::MUL:
        return {binary(graph::BinaryKind::kMul, options<tfl::MulOptions>()), 2};
      case BuiltinOperator::DIV:
        return {binary(graph::BinaryKind::kDiv, options<tfl::DivOptions>()), 2};
      case BuiltinOperator::SQUARED_DIFFERENCE:
        return {graph::Binary{graph::BinaryKind::kSquaredDifference}, 2};
      case BuiltinOperator::BATCH_MATMUL:
        return {batch_matmul(), 2};
      case BuiltinOperator::MEAN:
        return {reduce(graph::ReduceKind::kMean), 1};
      case BuiltinOperator::SUM:
        return {reduce(graph::ReduceKind::kSum), 1};
      case BuiltinOperator::CONCATENATION:
        return {concatenation(), op_.inputs() == nullptr ? 0 : op_.inputs()->size()};
      case BuiltinOperator::DEQUANTIZE:
        return {graph::Dequantize{}, 1};
      default:
        return {layout_or_unary(), 1};
    }
  }

 private:
  graph::Op layout_or_unary() const {
    switch (code_) {
      case BuiltinOperator::MIRROR_PAD:
        if (options<tfl::MirrorPadOptions>().mode() != tfl::MirrorPadMode::REFLECT)
          unsupported("a repeated edge");
        return reflection_pad();
      case BuiltinOperator::PAD:
        return zero_pad();
      case BuiltinOperator::SOFTMAX:
        if (options<tfl::SoftmaxOptions>().beta() != 1.0F) unsupported("a beta other than 1");
        return graph::Softmax{};
      case BuiltinOperator::LEAKY_RELU:
        return graph::LeakyRelu{options<tfl::LeakyReluOptions>().alpha()};
      case BuiltinOperator::SLICE:
        return slice();
      case BuiltinOperator::RESHAPE:
        return graph::Reshape{wide(read_list_(1))};
      case BuiltinOperator::TRANSPOSE:
        return transpose();
      case BuiltinOperator::RESIZE_BILINEAR:
        return resize_bilinear();
      case BuiltinOperator::RESIZE_NEAREST_NEIGHBOR:
        return resize_nearest();
      case BuiltinOperator::DEPTH_TO_SPACE:
        return graph::DepthToSpace{positive(options<tfl::DepthToSpaceOptions>().block_size())};
      case BuiltinOperator::SQRT:
        return graph::Unary{graph::UnaryKind::kSqrt};
      case BuiltinOperator::RSQRT:
        return graph::Unary{graph::UnaryKind::kRsqrt};
      case BuiltinOperator::TANH:
        return graph::Unary{graph::UnaryKind::kTanh};
      case BuiltinOperator::LOGISTIC:
        return graph::Unary{graph::UnaryKind::kLogistic};
      case BuiltinOperator::RELU:
        return graph::Unary{graph::UnaryKind::kRelu};
      case BuiltinOperator::GELU:
        if (options<tfl::GeluOptions>().approximate()) unsupported("the approximate GELU");
        return graph::Unary{graph::UnaryKind::kGelu};
      default:
        unsupported("this operator");
    }
  }

  graph::Op conv() const {
    const auto& o = options<tfl::Conv2DOptions>();
    if (o.stride_h() != o.stride_w() || o.dilation_h() != 1 || o.dilation_w() != 1)
      unsupported("unequal strides, or dilation");
    return graph::Conv2D{positive(o.stride_h()), padding(o.padding()), activation(o.act())};
  }

  graph::Op depthwise() const {
    const auto& o = options<tfl::DepthwiseConv2DOptions>();
    if (o.stride_h() != 1 || o.stride_w() != 1 || o.depth_multiplier() != 1 || o.act() != tfl::Act::NONE)
      unsupported("a stride, a depth multiplier or an activation");
    return graph::DepthwiseConv2D{positive(o.dilation_h()), positive(o.dilation_w()), padding(o.padding())};
  }

  graph::Op fully_connected() const {
    const auto& o = options<tfl::FullyConnectedOptions>();
    if (o.weights_format() != tfl::WeightsFormat::DEFAULT) unsupported("shuffled weights");
    return graph::FullyConnected{activation(o.act())};
  }

  template <typename Options>
  graph::Op binary(graph::BinaryKind kind, const Options& o) const {
    return graph::Binary{kind, activation(o.act())};
  }

  graph::Op reduce(graph::ReduceKind kind) const {
    const std::vector<std::int32_t> axes = read_list_(1);
    if (std::ranges::adjacent_find(axes, std::greater_equal<>()) != axes.end())
      unsupported("axes that are repeated or not in order");
    return graph::Reduce{kind, axes, options<tfl::ReducerOptions>().keep_dims()};
  }

  graph::Op concatenation() const {
    const auto& o = options<tfl::ConcatenationOptions>();
    if (o.act() != tfl::Act::NONE) unsupported("an activation");
    return graph::Concatenation{o.axis()};
  }

  graph::Op batch_matmul() const {
    const auto& o = options<tfl::BatchMatMulOptions>();
    if (o.adj_x()) unsupported("a transposed first operand");
    return graph::BatchMatMul{o.adj_y()};
  }

  graph::ZeroPad zero_pad() const {
    const std::vector<std::int32_t> amounts = read_list_(1);
    constexpr std::int32_t kMax = 1 << 14;
    const bool sane = amounts.size() == 8 && std::ranges::all_of(amounts, [](std::int32_t amount) {
                        return amount >= 0 && amount <= kMax;
                      });
    if (!sane || amounts[0] + amounts[1] + amounts[6] + amounts[7] != 0)
      unsupported("anything but amounts around H and W");
    return {amounts[2], amounts[4], amounts[3], amounts[5]};
  }

  graph::Op reflection_pad() const {
    const graph::ZeroPad around = zero_pad();
    if (around.left != around.top || around.bottom != around.top || around.right != around.top)
      unsupported("amounts that differ between the sides");
    return graph::ReflectionPad{around.top};
  }

  graph::Op slice() const {
    const std::vector<std::int64_t> begin = wide(read_list_(1));
    return graph::Slice{begin, wide(read_list_(2))};
  }

  graph::Op transpose() const {
    const std::vector<std::int32_t> axes = read_list_(1);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (std::ranges::count(axes, static_cast<std::int32_t>(i)) != 1)
        unsupported("axes that are no permutation");
    }
    return graph::Transpose{axes};
  }

  graph::Op resize_bilinear() const {
    const auto& o = options<tfl::ResizeBilinearOptions>();
    if (o.align_corners() || !o.half_pixel_centers()) unsupported("other pixel centres than half");
    const auto [height, width] = size();
    return graph::ResizeBilinear{height, width};
  }

  graph::Op resize_nearest() const {
    const auto& o = options<tfl::ResizeNearestNeighborOptions>();
    if (o.align_corners() || o.half_pixel_centers()) unsupported("other pixel centres than the corner");
    const auto [height, width] = size();
    return graph::ResizeNearest{height, width};
  }

  std::pair<std::int64_t, std::int64_t> size() const {
    const std::vector<std::int32_t> sizes = read_list_(1);
    if (sizes.size() != 2) unsupported("a size that is not height and width");
    return {positive(sizes[0]), positive(sizes[1])};
  }

  static std::vector<std::int64_t> wide(const std::vector<std::int32_t>& list) {
    return {list.begin(), list.end()};
  }

  // What shape inference and the kernels divide by, step by or allocate.
  std::int64_t positive(std::int32_t value) const {
    constexpr std::int32_t kMax = 1 << 14;
    if (value < 1 || value > kMax) unsupported(fmt::format("a stride, step or size of {}", value));
    return value;
  }

  static graph::Padding padding(tfl::Padding value) {
    return value == tfl::Padding::SAME ? graph::Padding::kSame : graph::Padding::kValid;
  }

  graph::Activation activation(tfl::Act value) const {
    if (value == tfl::Act::NONE) return graph::Activation::kNone;
    if (value == tfl::Act::RELU) return graph::Activation::kRelu;
    unsupported("an activation other than RELU");
  }

  template <typename Options>
  const Options& options() const {
    const Options* found = op_.builtin_options_as<Options>();
    if (found == nullptr) unsupported("missing options");
    return *found;
  }

  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::kUnsupported, "{} with {}, which sealite does not write",
         tfl::EnumNameBuiltinOperator(code_), what);
  }

  BuiltinOperator code_;
  const tfl::Operator& op_;
  const ReadList& read_list_;
};

}  // namespace

ImportedOp import_op(BuiltinOperator code, const tfl::Operator& op, const ReadList& read_list) {
  return OpImporter(code, op, read_list).import();
}

}  // namespace sealite::model_file

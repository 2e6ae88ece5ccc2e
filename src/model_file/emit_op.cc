#include "model_file/emit_op.h"

#include "base/error.h"

namespace sealite::model_file {
namespace {

using tfl::BuiltinOperator;

tfl::Padding to_padding(graph::Padding padding) {
  return padding == graph::Padding::kSame ? tfl::Padding::SAME : tfl::Padding::VALID;
}

tfl::Act to_act(graph::Activation activation) {
  return activation == graph::Activation::kRelu ? tfl::Act::RELU : tfl::Act::NONE;
}

template <typename T>
IndexInput to_int32(const std::vector<T>& values) {
  IndexInput result{{}, {static_cast<std::int64_t>(values.size())}};
  for (const T value : values) result.values.push_back(static_cast<std::int32_t>(value));
  return result;
}

template <typename Options>
EmittedOp make(BuiltinOperator code, Options options, int version = 1) {
  EmittedOp op;
  op.code = code;
  op.version = version;
  op.options.Set(std::move(options));
  return op;
}

EmittedOp make_bare(BuiltinOperator code) {
  EmittedOp op;
  op.code = code;
  return op;
}

// The versions are those that TFLite's op_version.cc gives to the features used.
class Emitter {
 public:
  Emitter(const graph::Graph& graph, const graph::Node& node) : graph_(graph), node_(node) {}

  EmittedOp operator()(const graph::Conv2D& op) const {
    tfl::Conv2DOptionsT options;
    const bool hybrid = is_quantized(node_.inputs[1]);
    options.padding = to_padding(op.padding);
    options.stride_h = options.stride_w = static_cast<std::int32_t>(op.stride);
    options.act = to_act(op.activation);
    return make(BuiltinOperator::CONV_2D, std::move(options), hybrid ? 5 : 1);
  }
  EmittedOp operator()(const graph::DepthwiseConv2D& op) const {
    tfl::DepthwiseConv2DOptionsT options;
    options.padding = to_padding(op.padding);
    options.stride_h = options.stride_w = 1;
    options.depth_multiplier = 1;
    options.dilation_h = static_cast<std::int32_t>(op.dilation_h);
    options.dilation_w = static_cast<std::int32_t>(op.dilation_w);
    const bool dilated = op.dilation_h != 1 || op.dilation_w != 1;
    return make(BuiltinOperator::DEPTHWISE_CONV_2D, std::move(options), dilated ? 2 : 1);
  }
  EmittedOp operator()(const graph::FullyConnected& op) const {
    tfl::FullyConnectedOptionsT options;
    options.act = to_act(op.activation);
    // Without it the output has two dimensions, whatever the input has.
    options.keep_num_dims = graph_.shape(node_.inputs[0]).size() != 2;
    // Integer weights, float activations: the runtime quantises each row of the input with its own range.
    options.asymmetric_quantize_inputs = is_quantized(node_.inputs[1]);
    int version = options.keep_num_dims ? 5 : 1;
    if (is_quantized(node_.inputs[1])) version = 12;
    return make(BuiltinOperator::FULLY_CONNECTED, std::move(options), version);
  }
  EmittedOp operator()(const graph::BatchMatMul& op) const {
    tfl::BatchMatMulOptionsT options;
    options.adj_y = op.transpose_b;
    return make(BuiltinOperator::BATCH_MATMUL, std::move(options));
  }
  EmittedOp operator()(const graph::LeakyRelu& op) const {
    tfl::LeakyReluOptionsT options;
    options.alpha = op.slope;
    return make(BuiltinOperator::LEAKY_RELU, std::move(options));
  }
  EmittedOp operator()(const graph::Softmax&) const {
    tfl::SoftmaxOptionsT options;
    options.beta = 1;
    return make(BuiltinOperator::SOFTMAX, std::move(options));
  }
  EmittedOp operator()(const graph::Binary& op) const {
    switch (op.kind) {
      case graph::BinaryKind::kAdd:
        return make_binary<tfl::AddOptionsT>(BuiltinOperator::ADD, op);
      case graph::BinaryKind::kSub:
        return make_binary<tfl::SubOptionsT>(BuiltinOperator::SUB, op);
      case graph::BinaryKind::kMul:
        return make_binary<tfl::MulOptionsT>(BuiltinOperator::MUL, op);
      case graph::BinaryKind::kDiv:
        return make_binary<tfl::DivOptionsT>(BuiltinOperator::DIV, op);
      case graph::BinaryKind::kSquaredDifference:
        if (op.activation != graph::Activation::kNone)
          fail(ErrorCode::kInternal, "node '{}': SQUARED_DIFFERENCE has no activation", node_.name);
        return make(BuiltinOperator::SQUARED_DIFFERENCE, tfl::SquaredDifferenceOptionsT());
    }
    fail(ErrorCode::kInternal, "node '{}': unknown binary operator", node_.name);
  }
  EmittedOp operator()(const graph::Unary& op) const {
    switch (op.kind) {
      case graph::UnaryKind::kSqrt:
        return make_bare(BuiltinOperator::SQRT);
      case graph::UnaryKind::kRsqrt:
        return make_bare(BuiltinOperator::RSQRT);
      case graph::UnaryKind::kTanh:
        return make_bare(BuiltinOperator::TANH);
      case graph::UnaryKind::kLogistic:
        return make_bare(BuiltinOperator::LOGISTIC);
      case graph::UnaryKind::kRelu:
        return make_bare(BuiltinOperator::RELU);
      case graph::UnaryKind::kGelu:
        return make(BuiltinOperator::GELU, tfl::GeluOptionsT());
    }
    fail(ErrorCode::kInternal, "node '{}': unknown unary operator", node_.name);
  }
  EmittedOp operator()(const graph::Reduce& op) const {
    tfl::ReducerOptionsT options;
    options.keep_dims = op.keep_dims;
    const auto code = op.kind == graph::ReduceKind::kMean ? BuiltinOperator::MEAN : BuiltinOperator::SUM;
    return with_indices(make(code, std::move(options)), {to_int32(op.axes)});
  }
  EmittedOp operator()(const graph::ReflectionPad& op) const {
    tfl::MirrorPadOptionsT options;
    options.mode = tfl::MirrorPadMode::REFLECT;
    return with_indices(make(BuiltinOperator::MIRROR_PAD, std::move(options)),
                        {around(op.amount, op.amount, op.amount, op.amount)});
  }
  EmittedOp operator()(const graph::ZeroPad& op) const {
    return with_indices(make(BuiltinOperator::PAD, tfl::PadOptionsT()),
                        {around(op.top, op.bottom, op.left, op.right)});
  }
  EmittedOp operator()(const graph::Concatenation& op) const {
    tfl::ConcatenationOptionsT options;
    options.axis = op.axis;
    return make(BuiltinOperator::CONCATENATION, std::move(options));
  }
  EmittedOp operator()(const graph::Slice& op) const {
    return with_indices(make(BuiltinOperator::SLICE, tfl::SliceOptionsT()),
                        {to_int32(op.begin), to_int32(graph_.shape(node_.output))});
  }
  EmittedOp operator()(const graph::Reshape&) const {
    tfl::ReshapeOptionsT options;
    IndexInput shape = to_int32(graph_.shape(node_.output));
    options.new_shape = shape.values;
    return with_indices(make(BuiltinOperator::RESHAPE, std::move(options)), {std::move(shape)});
  }
  EmittedOp operator()(const graph::Transpose& op) const {
    return with_indices(make(BuiltinOperator::TRANSPOSE, tfl::TransposeOptionsT()),
                        {to_int32(op.permutation)});
  }
  EmittedOp operator()(const graph::ResizeBilinear& op) const {
    tfl::ResizeBilinearOptionsT options;
    options.half_pixel_centers = true;
    return with_indices(make(BuiltinOperator::RESIZE_BILINEAR, std::move(options), 3), {size_of(op)});
  }
  EmittedOp operator()(const graph::ResizeNearest& op) const {
    return with_indices(make(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, tfl::ResizeNearestNeighborOptionsT()),
                        {size_of(op)});
  }
  EmittedOp operator()(const graph::Dequantize&) const {
    return make(BuiltinOperator::DEQUANTIZE, tfl::DequantizeOptionsT(), 3);  // 3: float16
  }
  EmittedOp operator()(const graph::DepthToSpace& op) const {
    tfl::DepthToSpaceOptionsT options;
    options.block_size = static_cast<std::int32_t>(op.block);
    return make(BuiltinOperator::DEPTH_TO_SPACE, std::move(options));
  }
  EmittedOp operator()(const graph::LayerNorm&) const { return composite(); }
  EmittedOp operator()(const graph::GlobalResponseNorm&) const { return composite(); }
  EmittedOp operator()(const graph::BatchNorm&) const { return composite(); }
  EmittedOp operator()(const graph::RmsNorm&) const { return composite(); }
  EmittedOp operator()(const graph::GroupNorm&) const { return composite(); }

 private:
  bool is_quantized(graph::ValueId id) const { return graph_.value(id).quantization != nullptr; }
  template <typename Options>
  static EmittedOp make_binary(BuiltinOperator code, const graph::Binary& op) {
    Options options;
    options.act = to_act(op.activation);
    return make(code, std::move(options));
  }
  static EmittedOp with_indices(EmittedOp op, std::vector<IndexInput> indices) {
    op.index_inputs = std::move(indices);
    return op;
  }
  // Of H and W of an NHWC tensor.
  static IndexInput around(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
    IndexInput amounts = to_int32(std::vector<std::int64_t>{0, 0, top, bottom, left, right, 0, 0});
    amounts.shape = {4, 2};
    return amounts;
  }
  template <typename Resize>
  static IndexInput size_of(const Resize& op) {
    return {{static_cast<std::int32_t>(op.height), static_cast<std::int32_t>(op.width)}, {2}};
  }
  [[noreturn]] EmittedOp composite() const {
    fail(ErrorCode::kInternal, "node '{}' ({}) has no TFLite operator: a pass should have lowered it",
         node_.name, op_name(node_.op));
  }

  const graph::Graph& graph_;
  const graph::Node& node_;
};

}  // namespace

EmittedOp emit_op(const graph::Graph& graph, const graph::Node& node) {
  return std::visit(Emitter(graph, node), node.op);
}

}  // namespace sealite::model_file

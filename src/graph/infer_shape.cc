#include "graph/infer_shape.h"

#include <algorithm>

#include "base/error.h"

namespace sealite::graph {
namespace {

class Inference {
 public:
  Inference(const Graph& graph, const std::vector<ValueId>& inputs, std::string_view name)
      : graph_(graph), inputs_(inputs), name_(name) {}

  Shape operator()(const Conv2D& op) const {
    const Shape& x = input(0);
    const Shape& filter = input(1);
    expect(x.size() == 4 && filter.size() == 4 && filter[3] == x[3],
           "filter OHWI does not fit the input NHWC");
    expect(input(2) == Shape{filter[0]}, "bias does not fit the filter");
    return {x[0], window(x[1], filter[1], op.stride, 1, op.padding),
            window(x[2], filter[2], op.stride, 1, op.padding), filter[0]};
  }
  Shape operator()(const DepthwiseConv2D& op) const {
    const Shape& x = input(0);
    const Shape& filter = input(1);
    expect(x.size() == 4 && filter.size() == 4 && filter[0] == 1 && filter[3] == x[3],
           "filter 1HWC does not fit");
    expect(input(2) == Shape{x[3]}, "bias does not fit the input");
    return {x[0], window(x[1], filter[1], 1, op.dilation_h, op.padding),
            window(x[2], filter[2], 1, op.dilation_w, op.padding), x[3]};
  }
  Shape operator()(const FullyConnected&) const {
    Shape shape = input(0);
    const Shape& filter = input(1);
    expect(!shape.empty() && filter.size() == 2 && filter[1] == shape.back(),
           "filter OI does not fit the input");
    expect(input(2) == Shape{filter[0]}, "bias does not fit the filter");
    shape.back() = filter[0];
    return shape;
  }
  Shape operator()(const Binary&) const {
    const Shape& a = input(0);
    const Shape& b = input(1);
    const Shape& longer = a.size() >= b.size() ? a : b;
    const Shape& shorter = a.size() >= b.size() ? b : a;
    Shape shape = longer;
    const std::size_t shift = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
      const std::int64_t other = shorter[i];
      std::int64_t& dim = shape[i + shift];
      expect(dim == other || dim == 1 || other == 1, "operands do not broadcast");
      dim = std::max(dim, other);
    }
    return shape;
  }
  Shape operator()(const BatchMatMul& op) const {
    const Shape& a = input(0);
    const Shape& b = input(1);
    expect(a.size() >= 2 && a.size() == b.size(), "needs two inputs of one rank, at least 2");
    Shape shape = a;
    const std::size_t row = a.size() - 2;
    for (std::size_t i = 0; i < row; ++i) {
      expect(a[i] == b[i] || a[i] == 1 || b[i] == 1, "operands do not broadcast");
      shape[i] = std::max(a[i], b[i]);
    }
    expect(a.back() == (op.transpose_b ? b.back() : b[row]), "the lengths to be summed over differ");
    shape.back() = op.transpose_b ? b[row] : b.back();
    return shape;
  }
  Shape operator()(const Unary&) const { return input(0); }
  Shape operator()(const LeakyRelu&) const { return input(0); }
  Shape operator()(const Softmax&) const {
    expect(!input(0).empty(), "needs an axis");
    return input(0);
  }
  Shape operator()(const Reduce& op) const {
    Shape shape = input(0);
    for (const int axis : op.axes) shape[checked(axis, shape)] = op.keep_dims ? 1 : -1;
    std::erase(shape, -1);
    return shape;
  }
  Shape operator()(const ReflectionPad& op) const {
    Shape shape = input(0);
    expect(shape.size() == 4 && shape[1] > op.amount && shape[2] > op.amount, "too small for the reflection");
    shape[1] += 2 * op.amount;
    shape[2] += 2 * op.amount;
    return shape;
  }
  Shape operator()(const ZeroPad& op) const {
    Shape shape = input(0);
    expect(shape.size() == 4, "needs an NHWC input");
    shape[1] += op.top + op.bottom;
    shape[2] += op.left + op.right;
    return shape;
  }
  Shape operator()(const Concatenation& op) const {
    Shape shape = input(0);
    const std::size_t axis = checked(op.axis, shape);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      Shape other = input(i);
      expect(other.size() == shape.size(), "parts differ in rank");
      shape[axis] += other[axis];
      other[axis] = shape[axis];
      expect(other == shape, "parts differ beside the joined axis");
    }
    return shape;
  }
  Shape operator()(const Slice& op) const {
    const Shape& x = input(0);
    expect(op.begin.size() == x.size() && op.size.size() == x.size(), "rank differs");
    Shape size = slice_size(op, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      expect(op.begin[i] >= 0 && size[i] >= 1 && op.begin[i] + size[i] <= x[i], "outside the input");
    }
    return size;
  }
  Shape operator()(const Reshape& op) const {
    Shape shape = reshaped_shape(op, input(0));
    expect(element_count(shape) == element_count(input(0)), "element count differs");
    return shape;
  }
  Shape operator()(const Transpose& op) const {
    const Shape& x = input(0);
    expect(op.permutation.size() == x.size(), "rank differs");
    Shape shape;
    for (const int axis : op.permutation) shape.push_back(x[checked(axis, x)]);
    return shape;
  }
  Shape operator()(const ResizeBilinear& op) const { return resized(op.height, op.width); }
  Shape operator()(const ResizeNearest& op) const { return resized(op.height, op.width); }
  Shape operator()(const Dequantize&) const { return input(0); }
  Shape operator()(const DepthToSpace& op) const {
    const Shape& x = input(0);
    expect(x.size() == 4 && x[3] % (op.block * op.block) == 0, "channels are no multiple of block^2");
    return {x[0], x[1] * op.block, x[2] * op.block, x[3] / (op.block * op.block)};
  }
  Shape operator()(const LayerNorm&) const {
    expect(inputs_.size() == 1 || inputs_.size() == 3, "needs x, or x, gamma and beta");
    for (std::size_t i = 1; i < inputs_.size(); ++i)
      expect(input(i) == Shape{input(0).back()}, "gamma or beta misfit");
    return input(0);
  }
  Shape operator()(const BatchNorm&) const {
    expect(inputs_.size() == 5, "needs x, gamma, beta, mean and variance");
    for (std::size_t i = 1; i < inputs_.size(); ++i)
      expect(input(i) == Shape{input(0).back()}, "a vector misfits the channels");
    return input(0);
  }
  Shape operator()(const RmsNorm&) const {
    expect(inputs_.size() == 2 && input(1) == Shape{input(0).back()}, "needs x and a gamma that fits it");
    return input(0);
  }
  Shape operator()(const GroupNorm& op) const {
    expect(inputs_.size() == 3 && input(0).size() == 4, "needs an NHWC input, gamma and beta");
    expect(op.groups > 0 && input(0).back() % op.groups == 0, "channels are no multiple of the groups");
    for (std::size_t i = 1; i < inputs_.size(); ++i)
      expect(input(i) == Shape{input(0).back()}, "gamma or beta misfit");
    return input(0);
  }
  Shape operator()(const GlobalResponseNorm&) const {
    expect(inputs_.size() == 2 || inputs_.size() == 3, "needs x and gamma, or x, gamma and beta");
    for (std::size_t i = 1; i < inputs_.size(); ++i)
      expect(input(i) == Shape{input(0).back()}, "gamma or beta misfit");
    return input(0);
  }

 private:
  const Shape& input(std::size_t index) const {
    expect(index < inputs_.size(), "an input is missing");
    return graph_.shape(inputs_[index]);
  }
  std::size_t checked(int axis, const Shape& shape) const {
    expect(axis >= 0 && static_cast<std::size_t>(axis) < shape.size(), "no such axis");
    return static_cast<std::size_t>(axis);
  }
  Shape resized(std::int64_t height, std::int64_t width) const {
    const Shape& x = input(0);
    expect(x.size() == 4 && height > 0 && width > 0, "needs an NHWC input and a positive size");
    return {x[0], height, width, x[3]};
  }
  std::int64_t window(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                      Padding padding) const {
    if (padding == Padding::kSame) return (in + stride - 1) / stride;
    const std::int64_t reach = (kernel - 1) * dilation + 1;
    expect(in >= reach, "input smaller than the kernel");
    return (in - reach) / stride + 1;
  }
  void expect(bool condition, const char* what) const {
    if (condition) return;
    std::string shapes;
    for (const ValueId id : inputs_) shapes += " " + to_string(graph_.shape(id));
    fail(ErrorCode::kInternal, "node '{}': {}; inputs{}", name_, what, shapes);
  }

  const Graph& graph_;
  const std::vector<ValueId>& inputs_;
  std::string_view name_;
};

}  // namespace

Shape reshaped_shape(const Reshape& op, const Shape& x) {
  Shape shape = op.shape;
  const auto free = std::ranges::find(shape, -1);
  if (free == shape.end()) return shape;
  *free = 1;
  const auto known = static_cast<std::int64_t>(element_count(shape).value_or(0));
  *free = known == 0 ? 0 : static_cast<std::int64_t>(element_count(x).value_or(0)) / known;
  return shape;
}

Shape slice_size(const Slice& op, const Shape& x) {
  Shape size = op.size;
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (size[i] == -1) size[i] = x[i] - op.begin[i];
  }
  return size;
}

Shape infer_shape(const Graph& graph, const Op& op, const std::vector<ValueId>& inputs,
                  std::string_view name) {
  return std::visit(Inference(graph, inputs, name), op);
}

}  // namespace sealite::graph

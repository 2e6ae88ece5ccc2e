#include "random_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "base/error.h"
#include "graph/builder.h"
#include "random_source.h"

namespace sealite {
namespace {

using namespace graph;

constexpr std::uint64_t kMaxElements = 20000;  // of one activation

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed), embedder_(chance(0.25)) {}

  RandomModel make() {
    ValueId x = add_picture();
    if (embedder_) x = add_message(x);
    pool_ = {x};
    const std::int64_t count = between(1, 12);
    for (std::int64_t i = 0; i < count; ++i) add_any_operator();
    finish();
    model_.options.dynamic_shapes = !embedder_ && chance(0.4);
    model_.options.layout = nchw_ ? ImageLayout::kNchw : ImageLayout::kNhwc;
    model_.options.placement =
        chance(0.5) ? tflite::WeightPlacement::kInside : tflite::WeightPlacement::kOutside;
    model_.options.signature = embedder_ ? "embed" : "detect";
    model_.options.description = "random";
    model_.options.output_names = {embedder_ ? "delta" : "logits"};
    model_.options.metadata = {{"sealite", metadata()}};
    return std::move(model_);
  }

 private:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double probability) { return static_cast<double>(random_() >> 11U) * 0x1p-53 < probability; }
  template <typename T>
  const T& pick(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(list.size()) - 1))];
  }
  Activation some_activation() { return chance(0.3) ? Activation::kRelu : Activation::kNone; }
  Padding some_padding() { return chance(0.5) ? Padding::kSame : Padding::kValid; }
  std::string name(std::string_view what) { return fmt::format("{}{}", what, next_++); }
  const Shape& shape(ValueId id) const { return model_.graph.shape(id); }

  // Of a filter or an operand.
  ValueId floats(Shape dims) { return constant(std::move(dims), DType::kFloat32); }
  ValueId constant(Shape dims, DType type) {
    Value value;
    value.name = name("c");
    value.type = type;
    value.shape = dims;
    const bool integers = type == DType::kInt8 || type == DType::kInt4;
    if (integers) {
      Quantization quantization;
      for (std::int64_t row = 0; row < dims[0]; ++row)
        quantization.scales.push_back(static_cast<float>(between(1, 100)) * 1e-3F);
      value.quantization = std::make_shared<const Quantization>(std::move(quantization));
    }
    value.source = std::make_shared<RandomSource>(type, std::move(dims), random_());
    return model_.graph.add_value(std::move(value));
  }
  // As float16 behind a DEQUANTIZE, or as integers if `integers` says so.
  ValueId filter(const Shape& dims, bool int8, bool int4) {
    if (chance(0.2)) return builder_.add(name("wide"), Dequantize{}, {constant(dims, DType::kFloat16)});
    if (int4 && dims.back() % 2 == 0 && chance(0.25)) return constant(dims, DType::kInt4);
    return constant(dims, int8 && chance(0.3) ? DType::kInt8 : DType::kFloat32);
  }

  ValueId add_picture() {
    nchw_ = chance(0.5);
    side_ = between(4, 24);
    const Shape dims = nchw_ ? Shape{1, 3, side_, side_} : Shape{1, side_, side_, 3};
    const ValueId image = builder_.input("image", dims);
    if (!nchw_) return image;
    return builder_.add(name("nhwc"), Transpose{{0, 2, 3, 1}}, {image});
  }

  // The message as channels behind the picture's.
  ValueId add_message(ValueId picture) {
    bits_ = between(1, 16);
    const ValueId message = builder_.input("message", {1, bits_});
    const std::int64_t hidden = between(1, 8);
    ValueId e = fully_connected(message, hidden);
    e = builder_.add(name("pixel"), Reshape{{-1, 1, 1, hidden}}, {e});
    const ValueId ones = builder_.constant(name("ones"), filled({1, side_, side_, 1}, 1.0F));
    e = builder_.binary(name("repeated"), BinaryKind::kMul, e, ones);
    return builder_.add(name("joined"), Concatenation{3}, {picture, e});
  }

  ValueId fully_connected(ValueId x, std::int64_t outputs) {
    const std::int64_t inputs = shape(x).back();
    return builder_.add(name("fc"), FullyConnected{some_activation()},
                        {x, filter({outputs, inputs}, true, true), floats({outputs})});
  }

  // Tries until one fits; shape inference says whether it does.
  void add_any_operator() {
    constexpr int kTries = 20;
    for (int i = 0; i < kTries; ++i) {
      const ValueId x = pick(pool_);
      std::optional<ValueId> made;
      try {
        made = try_operator(x);
      } catch (const Error&) {
        continue;  // no such shape: the constants that it left behind are read by nothing, and not written
      }
      if (made) {
        pool_.push_back(*made);
        return;
      }
    }
  }

  std::optional<ValueId> try_operator(ValueId x) {
    const Shape dims = shape(x);
    const std::uint64_t elements = element_count(dims).value();
    if (elements == 0) return std::nullopt;
    switch (between(0, 19)) {
      case 0:
      case 1:
        return conv(x, dims);
      case 2:
        return depthwise(x, dims);
      case 3:
        return dims.empty() || elements > kMaxElements ? std::nullopt
                                                       : std::optional(fully_connected(x, between(1, 12)));
      case 4:
        return batch_matmul(x, dims);
      case 5:
      case 6:
      case 7:
        return binary(x, dims);
      case 8:
        return builder_.unary(name("unary"), static_cast<UnaryKind>(between(0, 5)), x);
      case 9:
        return builder_.add(name("leaky"), LeakyRelu{static_cast<float>(between(-20, 20)) * 0.1F}, {x});
      case 10:
        return dims.empty() ? std::nullopt : std::optional(builder_.add(name("softmax"), Softmax{}, {x}));
      case 11:
        return reduce(x, dims);
      case 12:
        return pad(x, dims);
      case 13:
        return concatenation(x, dims);
      case 14:
        return slice(x, dims);
      case 15:
        return reshape(x, elements);
      case 16:
        return transpose(x, dims);
      case 17:
      case 18:
        return resize(x, dims);
      default:
        return depth_to_space(x, dims);
    }
  }

  std::optional<ValueId> conv(ValueId x, const Shape& dims) {
    if (dims.size() != 4) return std::nullopt;
    const Shape f = {between(1, 9), between(1, 5), between(1, 5), dims[3]};
    return builder_.add(name("conv"), Conv2D{between(1, 4), some_padding(), some_activation()},
                        {x, filter(f, true, false), floats({f[0]})});
  }

  std::optional<ValueId> depthwise(ValueId x, const Shape& dims) {
    if (dims.size() != 4) return std::nullopt;
    const Shape f = {1, between(1, 7), between(1, 7), dims[3]};
    return builder_.add(name("depthwise"), DepthwiseConv2D{between(1, 3), between(1, 3), some_padding()},
                        {x, filter(f, false, false), floats({dims[3]})});
  }

  std::optional<ValueId> batch_matmul(ValueId x, const Shape& dims) {
    if (dims.size() < 2) return std::nullopt;
    const bool transposed = chance(0.5);
    if (chance(0.3)) {
      const ValueId y = pick(pool_);  // two activations, if they fit
      return bounded(builder_.add(name("matmul"), BatchMatMul{transposed}, {x, y}));
    }
    Shape b = dims;
    for (std::size_t i = 0; i + 2 < b.size(); ++i) b[i] = chance(0.5) ? 1 : b[i] == 1 ? between(1, 3) : b[i];
    const std::int64_t columns = between(1, 9);
    b[b.size() - 2] = transposed ? columns : dims.back();
    b.back() = transposed ? dims.back() : columns;
    return bounded(builder_.add(name("matmul"), BatchMatMul{transposed}, {x, floats(b)}));
  }

  std::optional<ValueId> binary(ValueId x, const Shape& dims) {
    const auto kind = static_cast<BinaryKind>(between(0, 4));
    const Activation activation =
        kind == BinaryKind::kSquaredDifference ? Activation::kNone : some_activation();
    ValueId y = pick(pool_);
    if (chance(0.6)) {
      // Any suffix of the shape, with axes of 1 on either side.
      Shape other(dims.begin() + between(0, static_cast<std::int64_t>(dims.size())), dims.end());
      for (std::int64_t& size : other)
        size = chance(0.3) ? 1 : size == 1 && chance(0.3) ? between(1, 4) : size;
      y = floats(other);
    }
    if (chance(0.4)) std::swap(x, y);
    return bounded(builder_.add(name("binary"), Binary{kind, activation}, {x, y}));
  }

  std::optional<ValueId> reduce(ValueId x, const Shape& dims) {
    std::vector<int> axes;
    for (int axis = 0; axis < static_cast<int>(dims.size()); ++axis) {
      if (chance(0.4)) axes.push_back(axis);
    }
    if (axes.empty()) return std::nullopt;
    const auto kind = chance(0.5) ? ReduceKind::kMean : ReduceKind::kSum;
    return builder_.add(name("reduce"), Reduce{kind, axes, chance(0.5)}, {x});
  }

  std::optional<ValueId> pad(ValueId x, const Shape& dims) {
    if (dims.size() != 4) return std::nullopt;
    if (chance(0.5)) return bounded(builder_.add(name("mirror"), ReflectionPad{between(0, 3)}, {x}));
    return bounded(
        builder_.add(name("pad"), ZeroPad{between(0, 3), between(0, 3), between(0, 3), between(0, 3)}, {x}));
  }

  std::optional<ValueId> concatenation(ValueId x, const Shape& dims) {
    if (dims.empty()) return std::nullopt;
    const int axis = static_cast<int>(between(0, static_cast<std::int64_t>(dims.size()) - 1));
    std::vector<ValueId> parts = {x};
    for (std::int64_t i = between(0, 3); i > 0; --i) {
      if (chance(0.3)) {
        parts.push_back(x);
        continue;
      }
      Shape other = dims;
      other[static_cast<std::size_t>(axis)] = between(1, 4);
      parts.push_back(floats(other));
    }
    return bounded(builder_.add(name("joined"), Concatenation{axis}, parts));
  }

  std::optional<ValueId> slice(ValueId x, const Shape& dims) {
    if (dims.empty()) return std::nullopt;
    Slice op;
    for (const std::int64_t size : dims) {
      op.begin.push_back(between(0, size - 1));
      op.size.push_back(chance(0.3) ? -1 : between(1, size - op.begin.back()));
    }
    return builder_.add(name("slice"), op, {x});
  }

  std::optional<ValueId> reshape(ValueId x, std::uint64_t elements) {
    Reshape op;
    auto left = static_cast<std::int64_t>(elements);
    for (std::int64_t i = between(1, 4); i > 1; --i) {
      std::vector<std::int64_t> divisors;
      for (std::int64_t d = 1; d <= left; ++d) {
        if (left % d == 0) divisors.push_back(d);
      }
      op.shape.push_back(pick(divisors));
      left /= op.shape.back();
    }
    op.shape.push_back(left);
    if (chance(0.4))
      op.shape[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(op.shape.size()) - 1))] = -1;
    return builder_.add(name("reshape"), op, {x});
  }

  std::optional<ValueId> transpose(ValueId x, const Shape& dims) {
    if (dims.empty()) return std::nullopt;
    Transpose op;
    for (int i = 0; i < static_cast<int>(dims.size()); ++i) op.permutation.push_back(i);
    for (std::size_t i = op.permutation.size(); i > 1; --i)
      std::swap(op.permutation[i - 1],
                op.permutation[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(i) - 1))]);
    return builder_.add(name("transpose"), op, {x});
  }

  std::optional<ValueId> resize(ValueId x, const Shape& dims) {
    if (dims.size() != 4) return std::nullopt;
    const std::int64_t height = between(1, 20);
    const std::int64_t width = between(1, 20);
    if (chance(0.5)) return bounded(builder_.add(name("bilinear"), ResizeBilinear{height, width}, {x}));
    return bounded(builder_.add(name("nearest"), ResizeNearest{height, width}, {x}));
  }

  std::optional<ValueId> depth_to_space(ValueId x, const Shape& dims) {
    if (dims.size() != 4) return std::nullopt;
    return builder_.add(name("shuffle"), DepthToSpace{between(1, 3)}, {x});
  }

  // Takes back an operator whose output is too large to go on with.
  std::optional<ValueId> bounded(ValueId made) {
    if (element_count(shape(made)).value() <= kMaxElements) return made;
    model_.graph.nodes.pop_back();
    return std::nullopt;
  }

  // Everything that nothing reads is added up, and becomes the output.
  void finish() {
    std::optional<ValueId> sum;
    const std::int64_t columns = embedder_ ? (chance(0.5) ? 1 : 3) : between(2, 40);
    std::vector<ValueId> ends = model_.graph.inputs;
    for (const Node& node : model_.graph.nodes) ends.push_back(node.output);
    std::erase_if(ends, [&](ValueId id) { return model_.graph.use_count(id) > 0; });
    for (const ValueId end : ends) {
      const ValueId part = embedder_ ? to_delta(end, columns) : to_logits(end, columns);
      sum = sum ? builder_.binary(name("sum"), BinaryKind::kAdd, *sum, part) : part;
    }
    ValueId output = *sum;
    if (embedder_) {
      output = builder_.unary(name("tanh"), UnaryKind::kTanh, output);
      if (nchw_) output = builder_.add(name("nchw"), Transpose{{0, 3, 1, 2}}, {output});
    } else {
      bits_ = columns - 1;
    }
    model_.graph.outputs = {output};
  }

  ValueId to_logits(ValueId x, std::int64_t columns) {
    const auto elements = static_cast<std::int64_t>(element_count(shape(x)).value());
    x = builder_.add(name("flat"), Reshape{{1, elements}}, {x});
    return fully_connected(x, columns);
  }

  // A picture's size with `channels`, of whatever there is.
  ValueId to_delta(ValueId x, std::int64_t channels) {
    if (const Shape& dims = shape(x);
        dims.size() == 4 && dims[0] == 1 && dims[1] == side_ && dims[2] == side_)
      return fully_connected(x, channels);
    x = to_logits(x, channels);
    x = builder_.add(name("pixel"), Reshape{{1, 1, 1, channels}}, {x});
    const ValueId ones = builder_.constant(name("ones"), filled({1, side_, side_, 1}, 1.0F));
    return builder_.binary(name("repeated"), BinaryKind::kMul, x, ones);
  }

  std::string metadata() const {
    std::string text = fmt::format(
        R"({{"model":"random","part":"{}","bits":{},"image_size":{},"layout":"{}","precision":"float32","checkpoint_hash":"")",
        embedder_ ? "embedder" : "detector", bits_, side_, nchw_ ? "nchw" : "nhwc");
    if (embedder_) text += R"(,"attenuation":"jnd_1_1","scaling_w":0.2,"scaling_i":1.0)";
    return text + "}";
  }

  std::mt19937_64 random_;
  bool embedder_;
  RandomModel model_;
  Builder builder_{model_.graph};
  std::vector<ValueId> pool_;
  int next_ = 0;
  bool nchw_ = false;
  std::int64_t side_ = 0;
  std::int64_t bits_ = 0;
};

}  // namespace

RandomModel make_random_model(std::uint64_t seed) {
  return Maker(seed).make();
}

}  // namespace sealite

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "base/parallel.h"
#include "evaluate/kernels.h"

namespace sealite::evaluate {
namespace {

float apply(graph::BinaryKind kind, float a, float b) {
  switch (kind) {
    case graph::BinaryKind::kAdd:
      return a + b;
    case graph::BinaryKind::kSub:
      return a - b;
    case graph::BinaryKind::kMul:
      return a * b;
    case graph::BinaryKind::kDiv:
      return a / b;
    case graph::BinaryKind::kSquaredDifference:
      return (a - b) * (a - b);
  }
  return 0;
}

float apply(graph::UnaryKind kind, float x) {
  switch (kind) {
    case graph::UnaryKind::kSqrt:
      return std::sqrt(x);
    case graph::UnaryKind::kRsqrt:
      return 1.0F / std::sqrt(x);
    case graph::UnaryKind::kGelu:
      return 0.5F * x * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>));
    case graph::UnaryKind::kTanh:
      return std::tanh(x);
    case graph::UnaryKind::kLogistic:
      return 1.0F / (1.0F + std::exp(-x));
    case graph::UnaryKind::kRelu:
      return std::max(x, 0.0F);
  }
  return 0;
}

constexpr std::size_t kBlock = 65536;

// body(first, last) over [0, count) in blocks, in parallel.
void for_blocks(std::size_t count, const std::function<void(std::size_t, std::size_t)>& body) {
  parallel_for((count + kBlock - 1) / kBlock,
               [&](std::size_t block) { body(block * kBlock, std::min(count, (block + 1) * kBlock)); });
}

// Steps of one operand of a broadcast: 0 along an axis where it has length 1.
struct Steps {
  Steps(const Shape& shape, const Shape4& out) {
    const Shape4 own(shape);
    std::int64_t stride = 1;
    for (int axis = 3; axis >= 0; --axis) {
      step[axis] = own.dims[axis] == 1 && out.dims[axis] != 1 ? 0 : stride;
      stride *= own.dims[axis];
    }
  }
  std::int64_t step[4];
};

}  // namespace

Tensor run_kernel(const graph::Binary& op, const Inputs& inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  Shape shape = a.shape.size() >= b.shape.size() ? a.shape : b.shape;
  const Shape& shorter = a.shape.size() >= b.shape.size() ? b.shape : a.shape;
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    auto& dim = shape[shape.size() - shorter.size() + i];
    dim = std::max(dim, shorter[i]);
  }
  Tensor y = make_tensor(std::move(shape));
  const Shape4 out(y.shape);
  const Steps sa(a.shape, out);
  const Steps sb(b.shape, out);
  parallel_for(static_cast<std::size_t>(out.dims[0] * out.dims[1]), [&](std::size_t row) {
    const std::int64_t n = static_cast<std::int64_t>(row) / out.dims[1];
    const std::int64_t h = static_cast<std::int64_t>(row) % out.dims[1];
    for (std::int64_t w = 0; w < out.dims[2]; ++w) {
      const float* pa = a.values.data() + n * sa.step[0] + h * sa.step[1] + w * sa.step[2];
      const float* pb = b.values.data() + n * sb.step[0] + h * sb.step[1] + w * sb.step[2];
      float* py = y.values.data() + out.index(n, h, w, 0);
      for (std::int64_t c = 0; c < out.dims[3]; ++c) {
        const float value = apply(op.kind, pa[c * sa.step[3]], pb[c * sb.step[3]]);
        py[c] = op.activation == graph::Activation::kRelu ? std::max(value, 0.0F) : value;
      }
    }
  });
  return y;
}

Tensor run_kernel(const graph::Unary& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  for_blocks(x.values.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) y.values[i] = apply(op.kind, x.values[i]);
  });
  return y;
}

Tensor run_kernel(const graph::LeakyRelu& op, const Inputs& inputs) {
  Tensor y = *inputs[0];
  for (float& value : y.values) value = value < 0 ? value * op.slope : value;
  return y;
}

Tensor run_kernel(const graph::Softmax&, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  const auto length = static_cast<std::size_t>(x.shape.back());
  parallel_for(x.values.size() / length, [&](std::size_t row) {
    const std::span from = std::span(x.values).subspan(row * length, length);
    const std::span to = std::span(y.values).subspan(row * length, length);
    const float largest = *std::ranges::max_element(from);
    double sum = 0;
    for (std::size_t i = 0; i < length; ++i) {
      to[i] = std::exp(from[i] - largest);
      sum += static_cast<double>(to[i]);
    }
    for (float& value : to) value = static_cast<float>(static_cast<double>(value) / sum);
  });
  return y;
}

Tensor run_kernel(const graph::Reduce& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Shape kept = x.shape;
  for (const int axis : op.axes) kept[static_cast<std::size_t>(axis)] = 1;
  Tensor y = make_tensor(kept);
  const Shape4 in(x.shape);
  const Shape4 out(kept);
  const Steps steps(kept, in);
  std::vector<double> sums(y.values.size(), 0.0);
  for (std::int64_t n = 0; n < in.dims[0]; ++n) {
    for (std::int64_t h = 0; h < in.dims[1]; ++h) {
      for (std::int64_t w = 0; w < in.dims[2]; ++w) {
        const float* pixel = x.values.data() + in.index(n, h, w, 0);
        double* to = sums.data() + n * steps.step[0] + h * steps.step[1] + w * steps.step[2];
        for (std::int64_t c = 0; c < in.dims[3]; ++c) to[c * steps.step[3]] += static_cast<double>(pixel[c]);
      }
    }
  }
  const double count = op.kind == graph::ReduceKind::kMean
                           ? static_cast<double>(x.values.size()) / static_cast<double>(sums.size())
                           : 1.0;
  for (std::size_t i = 0; i < sums.size(); ++i) y.values[i] = static_cast<float>(sums[i] / count);
  if (!op.keep_dims) {
    Shape squeezed;
    for (std::size_t i = 0; i < x.shape.size(); ++i) {
      if (std::ranges::find(op.axes, static_cast<int>(i)) == op.axes.end()) squeezed.push_back(x.shape[i]);
    }
    y.shape = squeezed;
  }
  return y;
}

}  // namespace sealite::evaluate

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/parallel.h"
#include "graph/kernels.h"

namespace sealite::graph {
namespace {

float apply(BinaryKind kind, float a, float b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kSquaredDifference:
      return (a - b) * (a - b);
  }
  return 0;
}

float apply(UnaryKind kind, float x) {
  switch (kind) {
    case UnaryKind::kSqrt:
      return std::sqrt(x);
    case UnaryKind::kRsqrt:
      return 1.0F / std::sqrt(x);
    case UnaryKind::kGelu:
      return 0.5F * x * (1.0F + std::erf(x / std::numbers::sqrt2_v<float>));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kLogistic:
      return 1.0F / (1.0F + std::exp(-x));
    case UnaryKind::kRelu:
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

Tensor run_kernel(const Binary& op, const Inputs& inputs) {
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
        py[c] = op.activation == Activation::kRelu ? std::max(value, 0.0F) : value;
      }
    }
  });
  return y;
}

Tensor run_kernel(const Unary& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  for_blocks(x.values.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) y.values[i] = apply(op.kind, x.values[i]);
  });
  return y;
}

Tensor run_kernel(const Reduce& op, const Inputs& inputs) {
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
  const double count = op.kind == ReduceKind::kMean
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

Tensor run_kernel(const LayerNorm& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  const auto channels = static_cast<std::size_t>(x.shape.back());
  parallel_for(x.values.size() / channels, [&](std::size_t row) {
    const float* from = x.values.data() + row * channels;
    float* to = y.values.data() + row * channels;
    double mean = 0;
    for (std::size_t c = 0; c < channels; ++c) mean += static_cast<double>(from[c]);
    mean /= static_cast<double>(channels);
    double variance = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const double difference = static_cast<double>(from[c]) - mean;
      variance += difference * difference;
    }
    variance /= static_cast<double>(channels);
    const double scale = 1.0 / std::sqrt(variance + static_cast<double>(op.epsilon));
    for (std::size_t c = 0; c < channels; ++c) {
      to[c] = static_cast<float>((static_cast<double>(from[c]) - (op.subtract_mean ? mean : 0.0)) * scale);
      if (inputs.size() == 3) to[c] = to[c] * inputs[1]->values[c] + inputs[2]->values[c];
    }
  });
  return y;
}

Tensor run_kernel(const BatchNorm& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  const auto channels = static_cast<std::size_t>(x.shape.back());
  if (channels == 0) return y;
  std::vector<double> scales(channels);
  std::vector<double> offsets(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto of = [&](std::size_t input) { return static_cast<double>(inputs[input]->values[c]); };
    scales[c] = of(1) / std::sqrt(of(4) + static_cast<double>(op.epsilon));
    offsets[c] = of(2) - of(3) * scales[c];
  }
  parallel_for(x.values.size() / channels, [&](std::size_t row) {
    for (std::size_t c = 0, i = row * channels; c < channels; ++c, ++i)
      y.values[i] = static_cast<float>(static_cast<double>(x.values[i]) * scales[c] + offsets[c]);
  });
  return y;
}

Tensor run_kernel(const GlobalResponseNorm& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Shape4 in(x.shape);
  const std::int64_t channels = in.dims[3];
  const std::int64_t pixels = in.dims[1] * in.dims[2];
  Tensor y = make_tensor(x.shape);
  for (std::int64_t n = 0; n < in.dims[0]; ++n) {
    std::vector<double> norms(static_cast<std::size_t>(channels), 0.0);
    const float* image = x.values.data() + in.index(n, 0, 0, 0);
    for (std::int64_t p = 0; p < pixels; ++p) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto value = static_cast<double>(image[p * channels + c]);
        norms[static_cast<std::size_t>(c)] += value * value;
      }
    }
    double mean = 0;
    for (double& norm : norms) {
      norm = std::sqrt(norm);
      mean += norm;
    }
    mean = mean / static_cast<double>(channels) + static_cast<double>(op.epsilon);
    std::vector<float> scales;
    for (const double norm : norms) scales.push_back(static_cast<float>(norm / mean));
    float* out = y.values.data() + in.index(n, 0, 0, 0);
    parallel_for(static_cast<std::size_t>(pixels), [&](std::size_t pixel) {
      const std::size_t base = pixel * static_cast<std::size_t>(channels);
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
        const float value = image[base + c];
        const float beta = inputs.size() == 3 ? inputs[2]->values[c] : 0.0F;
        out[base + c] = inputs[1]->values[c] * (value * scales[c]) + beta + value;
      }
    });
  }
  return y;
}

}  // namespace sealite::graph

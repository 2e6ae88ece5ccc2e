#include <cmath>

#include "base/parallel.h"
#include "evaluate/kernels.h"

namespace sealite::evaluate {

Tensor run_kernel(const graph::LayerNorm& op, const Inputs& inputs) {
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

Tensor run_kernel(const graph::BatchNorm& op, const Inputs& inputs) {
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

Tensor run_kernel(const graph::GlobalResponseNorm& op, const Inputs& inputs) {
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

Tensor run_kernel(const graph::RmsNorm& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(x.shape);
  const auto channels = static_cast<std::size_t>(x.shape.back());
  parallel_for(x.values.size() / channels, [&](std::size_t row) {
    const float* from = x.values.data() + row * channels;
    double squares = 0;
    for (std::size_t c = 0; c < channels; ++c)
      squares += static_cast<double>(from[c]) * static_cast<double>(from[c]);
    const double scale =
        1.0 / std::sqrt(squares / static_cast<double>(channels) + static_cast<double>(op.epsilon));
    for (std::size_t c = 0; c < channels; ++c) {
      y.values[row * channels + c] =
          static_cast<float>(static_cast<double>(from[c]) * scale) * inputs[1]->values[c];
    }
  });
  return y;
}

Tensor run_kernel(const graph::GroupNorm& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Shape4 in(x.shape);
  const std::int64_t pixels = in.dims[1] * in.dims[2];
  const std::int64_t channels = in.dims[3];
  const std::int64_t width = channels / op.groups;
  Tensor y = make_tensor(x.shape);
  parallel_for(static_cast<std::size_t>(in.dims[0] * op.groups), [&](std::size_t index) {
    const std::int64_t n = static_cast<std::int64_t>(index) / op.groups;
    const std::int64_t first = static_cast<std::int64_t>(index) % op.groups * width;
    const std::int64_t base = n * pixels * channels;
    const auto each = [&](const auto& body) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        for (std::int64_t c = first; c < first + width; ++c)
          body(static_cast<std::size_t>(base + p * channels + c), static_cast<std::size_t>(c));
      }
    };
    const auto count = static_cast<double>(pixels * width);
    double mean = 0;
    each([&](std::size_t i, std::size_t) { mean += static_cast<double>(x.values[i]) / count; });
    double variance = 0;
    each([&](std::size_t i, std::size_t) {
      const double difference = static_cast<double>(x.values[i]) - mean;
      variance += difference * difference / count;
    });
    const double scale = 1.0 / std::sqrt(variance + static_cast<double>(op.epsilon));
    each([&](std::size_t i, std::size_t c) {
      y.values[i] =
          static_cast<float>((static_cast<double>(x.values[i]) - mean) * scale) * inputs[1]->values[c] +
          inputs[2]->values[c];
    });
  });
  return y;
}

}  // namespace sealite::evaluate

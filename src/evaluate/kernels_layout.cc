#include <algorithm>
#include <cmath>

#include "evaluate/kernels.h"
#include "graph/infer_shape.h"

namespace sealite::evaluate {
namespace {

// y(n, h, w, :) = x(n, row(h), column(w), :)
template <typename Row, typename Column>
Tensor gather_pixels(const Tensor& x, std::int64_t height, std::int64_t width, Row row, Column column) {
  const Shape4 in(x.shape);
  Tensor y = make_tensor({in.dims[0], height, width, in.dims[3]});
  float* to = y.values.data();
  for (std::int64_t n = 0; n < in.dims[0]; ++n) {
    for (std::int64_t h = 0; h < height; ++h) {
      for (std::int64_t w = 0; w < width; ++w) {
        to = std::copy_n(x.values.data() + in.index(n, row(h), column(w), 0), in.dims[3], to);
      }
    }
  }
  return y;
}

// Where an output position lies between two input positions, half-pixel centres.
struct Between {
  Between(std::int64_t out, std::int64_t in_size, std::int64_t out_size) {
    const float scale = static_cast<float>(in_size) / static_cast<float>(out_size);
    const float position = std::max(0.0F, (static_cast<float>(out) + 0.5F) * scale - 0.5F);
    low = std::min(static_cast<std::int64_t>(position), in_size - 1);
    high = std::min(low + 1, in_size - 1);
    fraction = position - static_cast<float>(low);
  }
  std::int64_t low;
  std::int64_t high;
  float fraction;
};

}  // namespace

Tensor run_kernel(const graph::ReflectionPad& op, const Inputs& inputs) {
  const Shape4 in(inputs[0]->shape);
  const auto reflect = [&](std::int64_t size) {
    return [size, amount = op.amount](std::int64_t i) {
      const std::int64_t position = std::abs(i - amount);
      return position < size ? position : 2 * (size - 1) - position;
    };
  };
  return gather_pixels(*inputs[0], in.dims[1] + 2 * op.amount, in.dims[2] + 2 * op.amount,
                       reflect(in.dims[1]), reflect(in.dims[2]));
}

Tensor run_kernel(const graph::ZeroPad& op, const Inputs& inputs) {
  const Shape4 in(inputs[0]->shape);
  Tensor y =
      make_tensor({in.dims[0], in.dims[1] + op.top + op.bottom, in.dims[2] + op.left + op.right, in.dims[3]});
  const Shape4 out(y.shape);
  for (std::int64_t n = 0; n < in.dims[0]; ++n) {
    for (std::int64_t h = 0; h < in.dims[1]; ++h) {
      std::copy_n(inputs[0]->values.data() + in.index(n, h, 0, 0), in.dims[2] * in.dims[3],
                  y.values.data() + out.index(n, h + op.top, op.left, 0));
    }
  }
  return y;
}

Tensor run_kernel(const graph::ResizeNearest& op, const Inputs& inputs) {
  const Shape4 in(inputs[0]->shape);
  return gather_pixels(
      *inputs[0], op.height, op.width, [&](std::int64_t h) { return h * in.dims[1] / op.height; },
      [&](std::int64_t w) { return w * in.dims[2] / op.width; });
}

Tensor run_kernel(const graph::ResizeBilinear& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Shape4 in(x.shape);
  Tensor y = make_tensor({in.dims[0], op.height, op.width, in.dims[3]});
  float* to = y.values.data();
  for (std::int64_t n = 0; n < in.dims[0]; ++n) {
    for (std::int64_t h = 0; h < op.height; ++h) {
      const Between v(h, in.dims[1], op.height);
      for (std::int64_t w = 0; w < op.width; ++w) {
        const Between u(w, in.dims[2], op.width);
        const auto pixel = [&](std::int64_t row, std::int64_t column) {
          return x.values.data() + in.index(n, row, column, 0);
        };
        for (std::int64_t c = 0; c < in.dims[3]; ++c) {
          const float top = pixel(v.low, u.low)[c] * (1 - u.fraction) + pixel(v.low, u.high)[c] * u.fraction;
          const float bottom =
              pixel(v.high, u.low)[c] * (1 - u.fraction) + pixel(v.high, u.high)[c] * u.fraction;
          *to++ = top * (1 - v.fraction) + bottom * v.fraction;
        }
      }
    }
  }
  return y;
}

Tensor run_kernel(const graph::Concatenation& op, const Inputs& inputs) {
  const auto axis = static_cast<std::size_t>(op.axis);
  Shape shape = inputs[0]->shape;
  shape[axis] = 0;
  for (const Tensor* part : inputs) shape[axis] += part->shape[axis];
  Tensor y = make_tensor(shape);
  std::int64_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  float* to = y.values.data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor* part : inputs) {
      const auto run = static_cast<std::int64_t>(part->values.size()) / outer;
      to = std::copy_n(part->values.data() + o * run, run, to);
    }
  }
  return y;
}

Tensor run_kernel(const graph::Slice& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Tensor y = make_tensor(slice_size(op, x.shape));
  const Shape4 in(x.shape);
  const Shape4 out(y.shape);
  std::int64_t begin[4] = {0, 0, 0, 0};
  std::copy(op.begin.begin(), op.begin.end(), begin + (4 - op.begin.size()));
  float* to = y.values.data();
  for (std::int64_t n = 0; n < out.dims[0]; ++n) {
    for (std::int64_t h = 0; h < out.dims[1]; ++h) {
      for (std::int64_t w = 0; w < out.dims[2]; ++w) {
        const std::int64_t from = in.index(n + begin[0], h + begin[1], w + begin[2], begin[3]);
        to = std::copy_n(x.values.data() + from, out.dims[3], to);
      }
    }
  }
  return y;
}

Tensor run_kernel(const graph::Reshape& op, const Inputs& inputs) {
  return {reshaped_shape(op, inputs[0]->shape), inputs[0]->values};
}

Tensor run_kernel(const graph::Transpose& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  Shape shape;
  for (const int axis : op.permutation) shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
  Tensor y = make_tensor(shape);
  const std::size_t rank = shape.size();
  std::vector<std::int64_t> strides(rank, 1);
  for (std::size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * x.shape[i];
  std::vector<std::int64_t> position(rank, 0);
  for (float& value : y.values) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < rank; ++i)
      from += position[i] * strides[static_cast<std::size_t>(op.permutation[i])];
    value = x.values[static_cast<std::size_t>(from)];
    for (std::size_t i = rank; i-- > 0;) {
      if (++position[i] < shape[i]) break;
      position[i] = 0;
    }
  }
  return y;
}

// The evaluator holds every constant as real values already.
Tensor run_kernel(const graph::Dequantize&, const Inputs& inputs) {
  return *inputs[0];
}

Tensor run_kernel(const graph::DepthToSpace& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Shape4 in(x.shape);
  const std::int64_t block = op.block;
  const std::int64_t channels = in.dims[3] / (block * block);
  Tensor y = make_tensor({in.dims[0], in.dims[1] * block, in.dims[2] * block, channels});
  const Shape4 out(y.shape);
  for (std::int64_t n = 0; n < out.dims[0]; ++n) {
    for (std::int64_t h = 0; h < out.dims[1]; ++h) {
      for (std::int64_t w = 0; w < out.dims[2]; ++w) {
        const std::int64_t channel = ((h % block) * block + w % block) * channels;
        std::copy_n(x.values.data() + in.index(n, h / block, w / block, channel), channels,
                    y.values.data() + out.index(n, h, w, 0));
      }
    }
  }
  return y;
}

}  // namespace sealite::evaluate

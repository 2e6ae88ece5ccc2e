#include <algorithm>
#include <span>

#include "base/parallel.h"
#include "evaluate/im2col.h"
#include "evaluate/kernels.h"
#include "evaluate/product.h"

namespace sealite::evaluate {
namespace {

// Rows of a product that one worker computes at a time.
constexpr std::int64_t kBlockRows = 128;

// y [rows, O] = x [rows, I] · filter [O, I]^T + bias [O]
void multiply(const float* x, std::int64_t rows, const Tensor& filter, const Tensor& bias,
              graph::Activation activation, float* y) {
  const std::int64_t out = filter.shape[0];
  const auto in = static_cast<std::int64_t>(filter.values.size()) / out;
  for (std::int64_t row = 0; row < rows; ++row) std::ranges::copy(bias.values, y + row * out);
  add_product(x, rows, filter.values.data(), out, in, y);
  if (activation != graph::Activation::kRelu) return;
  for (float& value : std::span(y, static_cast<std::size_t>(rows * out))) value = std::max(value, 0.0F);
}

}  // namespace

std::int64_t padding_before(graph::Padding padding, std::int64_t in, std::int64_t out, std::int64_t stride,
                            std::int64_t reach) {
  if (padding == graph::Padding::kValid) return 0;
  return std::max<std::int64_t>(0, (out - 1) * stride + reach - in) / 2;
}

std::int64_t window_count(graph::Padding padding, std::int64_t in, std::int64_t stride, std::int64_t reach) {
  return padding == graph::Padding::kSame ? (in + stride - 1) / stride : (in - reach) / stride + 1;
}

Tensor run_kernel(const graph::FullyConnected& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& filter = *inputs[1];
  Shape shape = x.shape;
  shape.back() = filter.shape[0];
  Tensor y = make_tensor(std::move(shape));
  const std::int64_t in = filter.shape[1];
  const auto rows = static_cast<std::int64_t>(x.values.size()) / in;
  parallel_for(static_cast<std::size_t>((rows + kBlockRows - 1) / kBlockRows), [&](std::size_t block) {
    const std::int64_t first = static_cast<std::int64_t>(block) * kBlockRows;
    multiply(x.values.data() + first * in, std::min(kBlockRows, rows - first), filter, *inputs[2],
             op.activation, y.values.data() + first * filter.shape[0]);
  });
  return y;
}

Tensor run_kernel(const graph::BatchMatMul& op, const Inputs& inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  const Shape4 left(a.shape);
  const Shape4 right(b.shape);
  Shape shape = a.shape;
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) shape[i] = std::max(shape[i], b.shape[i]);
  const std::int64_t columns = op.transpose_b ? right.dims[2] : right.dims[3];
  shape.back() = columns;
  Tensor y = make_tensor(shape);
  const Shape4 out(shape);
  parallel_for(static_cast<std::size_t>(out.dims[0] * out.dims[1]), [&](std::size_t matrix) {
    const std::int64_t n = static_cast<std::int64_t>(matrix) / out.dims[1];
    const std::int64_t h = static_cast<std::int64_t>(matrix) % out.dims[1];
    const auto start = [&](const Shape4& of) {
      return of.index(of.dims[0] == 1 ? 0 : n, of.dims[1] == 1 ? 0 : h, 0, 0);
    };
    const float* rows = b.values.data() + start(right);
    std::vector<float> turned;  // [N, K], as add_product wants it
    if (!op.transpose_b) {
      for (std::int64_t column = 0; column < columns; ++column) {
        for (std::int64_t k = 0; k < right.dims[2]; ++k) turned.push_back(rows[k * columns + column]);
      }
      rows = turned.data();
    }
    add_product(a.values.data() + start(left), left.dims[2], rows, columns, left.dims[3],
                y.values.data() + out.index(n, h, 0, 0));
  });
  return y;
}

Tensor run_kernel(const graph::Conv2D& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& filter = *inputs[1];
  const Im2col windows(op, x.shape, filter.shape);
  Tensor y = make_tensor({x.shape[0], windows.output_height(), windows.output_width(), filter.shape[0]});
  const std::int64_t width = windows.output_width();
  parallel_for(static_cast<std::size_t>(windows.line_count()), [&](std::size_t line) {
    std::vector<float> gathered(static_cast<std::size_t>(width * windows.window_size()));
    windows.gather(x, static_cast<std::int64_t>(line), gathered);
    multiply(gathered.data(), width, filter, *inputs[2], op.activation,
             y.values.data() + static_cast<std::int64_t>(line) * width * filter.shape[0]);
  });
  return y;
}

Tensor run_kernel(const graph::DepthwiseConv2D& op, const Inputs& inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& filter = *inputs[1];
  const Tensor& bias = *inputs[2];
  const Shape4 in(x.shape);
  const std::int64_t kernel_h = filter.shape[1];
  const std::int64_t kernel_w = filter.shape[2];
  const std::int64_t reach_h = (kernel_h - 1) * op.dilation_h + 1;
  const std::int64_t reach_w = (kernel_w - 1) * op.dilation_w + 1;
  Tensor y = make_tensor({in.dims[0], window_count(op.padding, in.dims[1], 1, reach_h),
                          window_count(op.padding, in.dims[2], 1, reach_w), in.dims[3]});
  const Shape4 out(y.shape);
  const std::int64_t top = padding_before(op.padding, in.dims[1], out.dims[1], 1, reach_h);
  const std::int64_t left = padding_before(op.padding, in.dims[2], out.dims[2], 1, reach_w);
  const std::int64_t channels = in.dims[3];
  parallel_for(static_cast<std::size_t>(out.dims[0] * out.dims[1]), [&](std::size_t row) {
    const std::int64_t n = static_cast<std::int64_t>(row) / out.dims[1];
    const std::int64_t oh = static_cast<std::int64_t>(row) % out.dims[1];
    for (std::int64_t ow = 0; ow < out.dims[2]; ++ow) {
      float* sums = y.values.data() + out.index(n, oh, ow, 0);
      std::copy(bias.values.begin(), bias.values.end(), sums);
      for (std::int64_t kh = 0; kh < kernel_h; ++kh) {
        const std::int64_t h = oh + kh * op.dilation_h - top;
        if (h < 0 || h >= in.dims[1]) continue;
        for (std::int64_t kw = 0; kw < kernel_w; ++kw) {
          const std::int64_t w = ow + kw * op.dilation_w - left;
          if (w < 0 || w >= in.dims[2]) continue;
          const float* pixel = x.values.data() + in.index(n, h, w, 0);
          const float* weights = filter.values.data() + (kh * kernel_w + kw) * channels;
          for (std::int64_t c = 0; c < channels; ++c) sums[c] += pixel[c] * weights[c];
        }
      }
    }
  });
  return y;
}

}  // namespace sealite::evaluate

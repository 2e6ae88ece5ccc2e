#include "evaluate/im2col.h"

#include <algorithm>

#include "evaluate/kernels.h"

namespace sealite::evaluate {

Im2col::Im2col(const graph::Conv2D& op, const Shape& x, const Shape& filter)
    : batch_(x[0]),
      in_h_(x[1]),
      in_w_(x[2]),
      channels_(x[3]),
      kernel_h_(filter[1]),
      kernel_w_(filter[2]),
      stride_(op.stride),
      out_h_(window_count(op.padding, in_h_, stride_, kernel_h_)),
      out_w_(window_count(op.padding, in_w_, stride_, kernel_w_)),
      top_(padding_before(op.padding, in_h_, out_h_, stride_, kernel_h_)),
      left_(padding_before(op.padding, in_w_, out_w_, stride_, kernel_w_)) {}

void Im2col::gather(const Tensor& x, std::int64_t line, std::span<float> windows) const {
  const Shape4 in(x.shape);
  const std::int64_t n = line / out_h_;
  const std::int64_t oh = line % out_h_;
  std::ranges::fill(windows, 0.0F);
  for (std::int64_t ow = 0; ow < out_w_; ++ow) {
    for (std::int64_t kh = 0; kh < kernel_h_; ++kh) {
      const std::int64_t h = oh * stride_ + kh - top_;
      if (h < 0 || h >= in_h_) continue;
      for (std::int64_t kw = 0; kw < kernel_w_; ++kw) {
        const std::int64_t w = ow * stride_ + kw - left_;
        if (w < 0 || w >= in_w_) continue;
        std::copy_n(x.values.data() + in.index(n, h, w, 0), channels_,
                    windows.data() + ((ow * kernel_h_ + kh) * kernel_w_ + kw) * channels_);
      }
    }
  }
}

}  // namespace sealite::evaluate

#pragma once

#include <span>

#include "evaluate/evaluate.h"

namespace sealite::evaluate {

/// A convolution as a product: gathers the windows that the filter (OHWI) sees, one line of output pixels at
/// a time.
class Im2col {
 public:
  /// `x` NHWC.
  Im2col(const graph::Conv2D& op, const Shape& x, const Shape& filter);

  /// Output pixels in height, and lines of the whole batch.
  std::int64_t output_height() const { return out_h_; }
  std::int64_t output_width() const { return out_w_; }
  std::int64_t line_count() const { return batch_ * out_h_; }
  /// Values in one window: height * width * input channels of the filter, in that order.
  std::int64_t window_size() const { return kernel_h_ * kernel_w_ * channels_; }
  /// Writes the windows of line `line` (n * output_height + h): [output_width, window_size]; padding is zero.
  void gather(const Tensor& x, std::int64_t line, std::span<float> windows) const;

 private:
  std::int64_t batch_, in_h_, in_w_, channels_;
  std::int64_t kernel_h_, kernel_w_, stride_;
  std::int64_t out_h_, out_w_, top_, left_;
};

}  // namespace sealite::evaluate

#pragma once

#include <vector>

#include "evaluate/evaluate.h"

namespace sealite::evaluate {

using namespace graph;

/// A convolution as its definition reads, NHWC, in double. `depthwise`: filter 1HWC, else OHWI.
struct NaiveConvolution {
  std::int64_t stride = 1;
  std::int64_t dilation_h = 1;
  std::int64_t dilation_w = 1;
  bool same = false;
  bool depthwise = false;

  std::vector<double> operator()(const Tensor& x, const Tensor& filter, const Tensor& bias) const {
    const std::int64_t height = x.shape[1];
    const std::int64_t width = x.shape[2];
    const std::int64_t in = x.shape[3];
    const std::int64_t out = depthwise ? in : filter.shape[0];
    const Axis rows(height, filter.shape[1], stride, dilation_h, same);
    const Axis columns(width, filter.shape[2], stride, dilation_w, same);
    std::vector<double> y;
    for (std::int64_t n = 0; n < x.shape[0]; ++n) {
      for (std::int64_t oh = 0; oh < rows.count; ++oh) {
        for (std::int64_t ow = 0; ow < columns.count; ++ow) {
          for (std::int64_t o = 0; o < out; ++o) {
            double sum = at(bias, o);
            for (std::int64_t kh = 0; kh < filter.shape[1]; ++kh) {
              for (std::int64_t kw = 0; kw < filter.shape[2]; ++kw) {
                const std::int64_t h = rows.first(oh) + kh * dilation_h;
                const std::int64_t w = columns.first(ow) + kw * dilation_w;
                if (h < 0 || h >= height || w < 0 || w >= width) continue;
                const std::int64_t pixel = ((n * height + h) * width + w) * in;
                const std::int64_t tap = kh * filter.shape[2] + kw;
                sum += depthwise
                           ? at(x, pixel + o) * at(filter, tap * in + o)
                           : dot(x, pixel, filter, (o * filter.shape[1] * filter.shape[2] + tap) * in, in);
              }
            }
            y.push_back(sum);
          }
        }
      }
    }
    return y;
  }

 private:
  // Where windows start along one axis; SAME puts the odd pixel of padding at the end.
  struct Axis {
    Axis(std::int64_t size, std::int64_t kernel, std::int64_t step, std::int64_t dilation, bool same_size)
        : stride(step) {
      const std::int64_t reach = (kernel - 1) * dilation + 1;
      count = same_size ? (size + step - 1) / step : (size - reach) / step + 1;
      const std::int64_t missing = (count - 1) * step + reach - size;
      before = same_size && missing > 0 ? missing / 2 : 0;
    }
    std::int64_t first(std::int64_t i) const { return i * stride - before; }
    std::int64_t stride;
    std::int64_t count = 0;
    std::int64_t before = 0;
  };
  static double at(const Tensor& tensor, std::int64_t i) {
    return static_cast<double>(tensor.values[static_cast<std::size_t>(i)]);
  }
  static double dot(const Tensor& a, std::int64_t i, const Tensor& b, std::int64_t j, std::int64_t count) {
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) sum += at(a, i + k) * at(b, j + k);
    return sum;
  }
};

}  // namespace sealite::evaluate

#pragma once

#include <vector>

#include "evaluate/evaluate.h"

// The evaluator's kernels, one overload for each op. Inputs are the node's inputs in order.
namespace sealite::evaluate {

using Inputs = std::vector<const Tensor*>;

Tensor run_kernel(const graph::Conv2D& op, const Inputs& inputs);
Tensor run_kernel(const graph::DepthwiseConv2D& op, const Inputs& inputs);
Tensor run_kernel(const graph::FullyConnected& op, const Inputs& inputs);
Tensor run_kernel(const graph::BatchMatMul& op, const Inputs& inputs);
Tensor run_kernel(const graph::Binary& op, const Inputs& inputs);
Tensor run_kernel(const graph::Unary& op, const Inputs& inputs);
Tensor run_kernel(const graph::LeakyRelu& op, const Inputs& inputs);
Tensor run_kernel(const graph::Softmax& op, const Inputs& inputs);
Tensor run_kernel(const graph::Reduce& op, const Inputs& inputs);
Tensor run_kernel(const graph::ReflectionPad& op, const Inputs& inputs);
Tensor run_kernel(const graph::ZeroPad& op, const Inputs& inputs);
Tensor run_kernel(const graph::Concatenation& op, const Inputs& inputs);
Tensor run_kernel(const graph::Slice& op, const Inputs& inputs);
Tensor run_kernel(const graph::Reshape& op, const Inputs& inputs);
Tensor run_kernel(const graph::Transpose& op, const Inputs& inputs);
Tensor run_kernel(const graph::ResizeBilinear& op, const Inputs& inputs);
Tensor run_kernel(const graph::ResizeNearest& op, const Inputs& inputs);
Tensor run_kernel(const graph::DepthToSpace& op, const Inputs& inputs);
Tensor run_kernel(const graph::Dequantize& op, const Inputs& inputs);
Tensor run_kernel(const graph::LayerNorm& op, const Inputs& inputs);
Tensor run_kernel(const graph::GlobalResponseNorm& op, const Inputs& inputs);
Tensor run_kernel(const graph::BatchNorm& op, const Inputs& inputs);
Tensor run_kernel(const graph::RmsNorm& op, const Inputs& inputs);
Tensor run_kernel(const graph::GroupNorm& op, const Inputs& inputs);

/// A zero tensor of `shape`.
Tensor make_tensor(Shape shape);

/// Output positions of a sliding window of `reach` pixels, and pixels of padding in front of the first, as
/// TFLite's SAME and VALID have them.
std::int64_t window_count(graph::Padding padding, std::int64_t in, std::int64_t stride, std::int64_t reach);
std::int64_t padding_before(graph::Padding padding, std::int64_t in, std::int64_t out, std::int64_t stride,
                            std::int64_t reach);

/// Row-major index arithmetic over rank-4 shapes, shorter ones padded with ones in front.
struct Shape4 {
  explicit Shape4(const Shape& shape);
  std::int64_t index(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return ((n * dims[1] + h) * dims[2] + w) * dims[3] + c;
  }
  std::int64_t dims[4];
};

}  // namespace sealite::evaluate

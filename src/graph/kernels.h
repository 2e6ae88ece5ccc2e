#pragma once

#include <vector>

#include "graph/evaluate.h"

// The evaluator's kernels, one overload for each op. Inputs are the node's inputs in order.
namespace sealite::graph {

using Inputs = std::vector<const Tensor*>;

Tensor run_kernel(const Conv2D& op, const Inputs& inputs);
Tensor run_kernel(const DepthwiseConv2D& op, const Inputs& inputs);
Tensor run_kernel(const FullyConnected& op, const Inputs& inputs);
Tensor run_kernel(const BatchMatMul& op, const Inputs& inputs);
Tensor run_kernel(const Binary& op, const Inputs& inputs);
Tensor run_kernel(const Unary& op, const Inputs& inputs);
Tensor run_kernel(const LeakyRelu& op, const Inputs& inputs);
Tensor run_kernel(const Softmax& op, const Inputs& inputs);
Tensor run_kernel(const Reduce& op, const Inputs& inputs);
Tensor run_kernel(const ReflectionPad& op, const Inputs& inputs);
Tensor run_kernel(const ZeroPad& op, const Inputs& inputs);
Tensor run_kernel(const Concatenation& op, const Inputs& inputs);
Tensor run_kernel(const Slice& op, const Inputs& inputs);
Tensor run_kernel(const Reshape& op, const Inputs& inputs);
Tensor run_kernel(const Transpose& op, const Inputs& inputs);
Tensor run_kernel(const ResizeBilinear& op, const Inputs& inputs);
Tensor run_kernel(const ResizeNearest& op, const Inputs& inputs);
Tensor run_kernel(const DepthToSpace& op, const Inputs& inputs);
Tensor run_kernel(const Dequantize& op, const Inputs& inputs);
Tensor run_kernel(const LayerNorm& op, const Inputs& inputs);
Tensor run_kernel(const GlobalResponseNorm& op, const Inputs& inputs);
Tensor run_kernel(const BatchNorm& op, const Inputs& inputs);
Tensor run_kernel(const RmsNorm& op, const Inputs& inputs);
Tensor run_kernel(const GroupNorm& op, const Inputs& inputs);

/// A zero tensor of `shape`.
Tensor make_tensor(Shape shape);

/// Output positions of a sliding window of `reach` pixels, and pixels of padding in front of the first, as
/// TFLite's SAME and VALID have them.
std::int64_t window_count(Padding padding, std::int64_t in, std::int64_t stride, std::int64_t reach);
std::int64_t padding_before(Padding padding, std::int64_t in, std::int64_t out, std::int64_t stride,
                            std::int64_t reach);

/// Row-major index arithmetic over rank-4 shapes, shorter ones padded with ones in front.
struct Shape4 {
  explicit Shape4(const Shape& shape);
  std::int64_t index(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return ((n * dims[1] + h) * dims[2] + w) * dims[3] + c;
  }
  std::int64_t dims[4];
};

}  // namespace sealite::graph

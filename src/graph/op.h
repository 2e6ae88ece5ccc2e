#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/shape.h"

namespace sealite::graph {

// The operators. All data is NHWC (or [N, C] at the head), all of rank <= 4; "C" is always the innermost
// axis. Each is a plain struct in one variant, visited exhaustively by shape inference, evaluation, emission
// and quantisation: adding one makes the compiler name every place that needs it (docs/adding-an-op.md).

enum class Padding : std::uint8_t { kSame, kValid };
enum class Activation : std::uint8_t { kNone, kRelu };

/// y = conv(x, filter OHWI) + bias [O]. kSame is TFLite's SAME, which for stride 1 equals PyTorch's padding
/// k/2.
struct Conv2D {
  std::int64_t stride = 1;
  Padding padding = Padding::kValid;
  Activation activation = Activation::kNone;
};

/// y = depthwise conv(x, filter 1HWC) + bias [C], stride 1.
struct DepthwiseConv2D {
  std::int64_t dilation_h = 1;
  std::int64_t dilation_w = 1;
  Padding padding = Padding::kSame;
};

/// y = x · filter [O, I]^T + bias [O] over the innermost axis; the other axes stay.
struct FullyConnected {
  Activation activation = Activation::kNone;
};

/// y = a · b over the two innermost axes, for each pair of the outer ones, along which a length of 1 is
/// repeated: [.., M, K] · [.., K, N], or [.., N, K] if `transpose_b`.
struct BatchMatMul {
  bool transpose_b = false;
};

/// exp(x) / sum of exp(x) over the innermost axis.
struct Softmax {};

enum class BinaryKind : std::uint8_t { kAdd, kSub, kMul, kDiv, kSquaredDifference };

/// Elementwise with broadcasting of axes of length 1.
struct Binary {
  BinaryKind kind = BinaryKind::kAdd;
  Activation activation = Activation::kNone;
};

/// kGelu is the exact one: x * Phi(x) with erf.
enum class UnaryKind : std::uint8_t { kSqrt, kRsqrt, kGelu, kTanh, kLogistic, kRelu };

struct Unary {
  UnaryKind kind = UnaryKind::kSqrt;
};

/// x, or slope * x where that is negative.
struct LeakyRelu {
  float slope = 0.2F;
};

enum class ReduceKind : std::uint8_t { kMean, kSum };

struct Reduce {
  ReduceKind kind = ReduceKind::kMean;
  std::vector<int> axes;
  bool keep_dims = true;
};

/// Mirror of `amount` pixels on each side of H and W, without repeating the edge (PyTorch ReflectionPad2d).
struct ReflectionPad {
  std::int64_t amount = 1;
};

/// Zeros around H and W: PyTorch's padding of a strided convolution, where TFLite's SAME is another.
struct ZeroPad {
  std::int64_t top = 1;
  std::int64_t left = 1;
  std::int64_t bottom = 1;
  std::int64_t right = 1;
};

struct Concatenation {
  int axis = 0;
};

/// Elements [begin, begin + size) along each axis; a size of -1 means all from `begin` on.
struct Slice {
  std::vector<std::int64_t> begin;
  Shape size;
};

/// One length may be -1: what is left, so that the batch stays free.
struct Reshape {
  Shape shape;
};

struct Transpose {
  std::vector<int> permutation;
};

/// Half-pixel centres, no antialiasing: PyTorch's align_corners=False.
struct ResizeBilinear {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// PyTorch's mode="nearest": source index floor(i * in / out).
struct ResizeNearest {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// [N,H,W,b*b*C] -> [N,H*b,W*b,C], input channel (i*b + j)*C + c to pixel (b*h + i, b*w + j).
struct DepthToSpace {
  std::int64_t block = 2;
};

/// float16 (a constant) to float32.
struct Dequantize {};

// Composites: what the model files write, close to the PyTorch modules; passes/ lowers them to the ops above.

/// (x - mean) / sqrt(biased variance + epsilon) over C; then * gamma [C] + beta [C] if these inputs are
/// given. Without `subtract_mean` it is x / sqrt(…): the linear layer after it has centred rows.
struct LayerNorm {
  float epsilon = 1e-6F;
  bool subtract_mean = true;
};

/// ConvNeXtV2's GRN, inputs x, gamma [C] and optionally beta [C]: with G = sqrt(sum over H, W of x^2) and
/// N = G / (mean over C of G + 1e-6), gamma * (x * N) + beta + x (videoseal modules/common.py: GRN).
struct GlobalResponseNorm {
  float epsilon = 1e-6F;
};

/// Batch normalisation as trained: inputs x, gamma, beta, mean and variance, all [C];
/// (x - mean) / sqrt(variance + epsilon) * gamma + beta.
struct BatchNorm {
  float epsilon = 1e-5F;
};

/// x / sqrt(mean over C of x^2 + epsilon) * gamma, inputs x and gamma [C]. With the reference's
/// x / max(||x||, 1e-12) * sqrt(C) * gamma (videoseal modules/common.py: ChanRMSNorm) it agrees to a float's
/// precision from ||x|| = 1e-8 on.
struct RmsNorm {
  float epsilon = 1e-24F;
};

/// torch.nn.GroupNorm, inputs x, gamma and beta [C]: (x - mean) / sqrt(variance + epsilon) over H, W and each
/// of `groups` runs of C / groups channels; then * gamma + beta.
struct GroupNorm {
  std::int64_t groups = 8;
  float epsilon = 1e-5F;
};

using Op = std::variant<Conv2D, DepthwiseConv2D, FullyConnected, BatchMatMul, Binary, Unary, LeakyRelu,
                        Softmax, Reduce, ReflectionPad, ZeroPad, Concatenation, Slice, Reshape, Transpose,
                        ResizeBilinear, ResizeNearest, DepthToSpace, Dequantize, LayerNorm,
                        GlobalResponseNorm, BatchNorm, RmsNorm, GroupNorm>;

/// Whether `op` is a composite: a pass has to lower it before it can be written.
bool is_composite(const Op& op);

/// Builds one callable from several lambdas, for std::visit.
template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // C++20 deduces it; clang 14 does not

/// The activation that `op` applies to its own output; kNone for ops that have no such setting.
Activation activation_of(const Op& op);

/// Upper-case name as in TFLite where there is one: "CONV_2D", "ADD", "LAYER_NORM".
std::string_view op_name(const Op& op);

}  // namespace sealite::graph

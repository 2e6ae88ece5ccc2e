#include "evaluate/product.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <hwy/aligned_allocator.h>

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE \
  "evaluate/product.cc"  // NOLINT(cppcoreguidelines-macro-usage): Highway's interface
#include <hwy/foreach_target.h>
// must come after foreach_target.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sealite::evaluate::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

// Rows of w in one tile; a tile has two vectors of rows of x: 12 sums, which fit the registers of every
// instruction set.
constexpr std::int64_t kTileW = 6;
// Summed at a time: a panel of x of this depth stays in the second cache, and partial sums keep rounding
// errors small.
constexpr std::int64_t kDepth = 256;

// Two vectors' worth of rows of x, [depth][panel]: rows next to each other, so that one instruction works on
// many of them. Missing rows are zero.
void pack(const float* x, std::int64_t rows, std::int64_t in, std::int64_t depth, std::int64_t panel,
          float* packed) {
  for (std::int64_t row = 0; row < panel; ++row) {
    for (std::int64_t k = 0; k < depth; ++k) packed[k * panel + row] = row < rows ? x[row * in + k] : 0.0F;
  }
}

// sums[c][row] += x[row] · w[c] for kTileW rows of w, over `depth`. Variables, not arrays: vectors of unknown
// length have no arrays.
void add_tile(const float* packed, const float* w, std::int64_t in, std::int64_t depth, float* sums,
              std::int64_t stride) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
  auto b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto x0 = hn::Load(d, packed + k * 2 * lanes);
    const auto x1 = hn::Load(d, packed + k * 2 * lanes + lanes);
    auto factor = hn::Set(d, w[k]);
    a0 = hn::MulAdd(x0, factor, a0), b0 = hn::MulAdd(x1, factor, b0);
    factor = hn::Set(d, w[in + k]);
    a1 = hn::MulAdd(x0, factor, a1), b1 = hn::MulAdd(x1, factor, b1);
    factor = hn::Set(d, w[2 * in + k]);
    a2 = hn::MulAdd(x0, factor, a2), b2 = hn::MulAdd(x1, factor, b2);
    factor = hn::Set(d, w[3 * in + k]);
    a3 = hn::MulAdd(x0, factor, a3), b3 = hn::MulAdd(x1, factor, b3);
    factor = hn::Set(d, w[4 * in + k]);
    a4 = hn::MulAdd(x0, factor, a4), b4 = hn::MulAdd(x1, factor, b4);
    factor = hn::Set(d, w[5 * in + k]);
    a5 = hn::MulAdd(x0, factor, a5), b5 = hn::MulAdd(x1, factor, b5);
  }
  const auto add = [&](std::int64_t c, auto a, auto b) {
    float* to = sums + c * stride;
    hn::StoreU(hn::Add(hn::LoadU(d, to), a), d, to);
    hn::StoreU(hn::Add(hn::LoadU(d, to + lanes), b), d, to + lanes);
  };
  add(0, a0, b0), add(1, a1, b1), add(2, a2, b2), add(3, a3, b3), add(4, a4, b4), add(5, a5, b5);
}

// The same for one row of w.
void add_row(const float* packed, const float* w, std::int64_t depth, float* sums) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a;
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto factor = hn::Set(d, w[k]);
    a = hn::MulAdd(hn::Load(d, packed + k * 2 * lanes), factor, a);
    b = hn::MulAdd(hn::Load(d, packed + k * 2 * lanes + lanes), factor, b);
  }
  hn::StoreU(hn::Add(hn::LoadU(d, sums), a), d, sums);
  hn::StoreU(hn::Add(hn::LoadU(d, sums + lanes), b), d, sums + lanes);
}

void add_product(const float* x, std::int64_t rows, const float* w, std::int64_t out, std::int64_t in,
                 float* y) {
  const Floats d;
  const auto panel = static_cast<std::int64_t>(2 * hn::Lanes(d));
  const std::int64_t panels = (rows + panel - 1) / panel;
  const std::int64_t stride = panels * panel;
  const auto packed = hwy::AllocateAligned<float>(static_cast<std::size_t>(stride * kDepth));
  std::vector<float> sums(static_cast<std::size_t>(out * stride));  // [out][rows]
  for (std::int64_t k = 0; k < in; k += kDepth) {
    const std::int64_t depth = std::min(kDepth, in - k);
    for (std::int64_t p = 0; p < panels; ++p) {
      pack(x + p * panel * in + k, std::min(panel, rows - p * panel), in, depth, panel,
           packed.get() + p * panel * kDepth);
    }
    for (std::int64_t c = 0; c < out; c += kTileW) {
      for (std::int64_t p = 0; p < panels; ++p) {
        const float* from = packed.get() + p * panel * kDepth;
        float* to = sums.data() + c * stride + p * panel;
        if (c + kTileW <= out) {
          add_tile(from, w + c * in + k, in, depth, to, stride);
          continue;
        }
        for (std::int64_t i = 0; i < out - c; ++i)
          add_row(from, w + (c + i) * in + k, depth, to + i * stride);
      }
    }
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < out; ++c)
      y[row * out + c] += sums[static_cast<std::size_t>(c * stride + row)];
  }
}

}  // namespace sealite::evaluate::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sealite::evaluate {

HWY_EXPORT(add_product);

void add_product(const float* x, std::int64_t rows, const float* w, std::int64_t out, std::int64_t in,
                 float* y) {
  HWY_DYNAMIC_DISPATCH(add_product)(x, rows, w, out, in, y);
}

}  // namespace sealite::evaluate
#endif

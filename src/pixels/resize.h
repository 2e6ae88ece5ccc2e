#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pixels/planes.h"
#include "sealite/pixels.h"

namespace sealite::pixels {

/// Antialiased bilinear resize in float32, equal to PyTorch's `interpolate(mode="bilinear", antialias=True,
/// align_corners=False)` but for the last rounding: a triangle filter, as wide as the reduction, renormalised
/// at the border. From 8 bits: values are divided by 255 first. The same size is that conversion alone. The
/// result does not depend on the number of threads; beside it each thread holds two rows, no second picture.
/// Throws kUsage if a size is not positive or `data` does not fit its sizes.
Planes resize_antialiased(const PixelView& picture, std::int64_t height, std::int64_t width);
Planes resize_antialiased(const Planes& planes, std::int64_t height, std::int64_t width);

/// The same resize a few rows at a time, so that a large result need not be held. `rows` may be called from
/// several threads.
class RowResizer {
 public:
  /// Throws as `resize_antialiased`.
  RowResizer(Planes planes, std::int64_t height, std::int64_t width);
  ~RowResizer();
  RowResizer(RowResizer&&) noexcept;
  RowResizer& operator=(RowResizer&&) noexcept;
  RowResizer(const RowResizer&) = delete;
  RowResizer& operator=(const RowResizer&) = delete;

  std::int64_t channels() const;
  /// Rows [first, last) of the result: `out` [last - first, width, channels]. Throws kInternal.
  void rows(std::int64_t first, std::int64_t last, std::span<float> out) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sealite::pixels

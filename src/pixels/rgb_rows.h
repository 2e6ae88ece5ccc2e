#pragma once

#include <cstdint>
#include <span>

#include "sealite/pixels.h"

namespace sealite::pixels {

/// Bytes from one row of plane `plane` to the next.
std::int64_t stride_of(const PixelView& view, std::size_t plane);

/// Throws kUsage, saying why, for a view that cannot be one: no size, an odd one of YUV, a plane that is not
/// there, rows that overlap.
void check_view(const PixelView& view);

/// Rows of a picture as 8-bit RGB, whatever its pixels are.
class RgbRows {
 public:
  /// Throws as `check_view`. The pixels have to stay.
  explicit RgbRows(const PixelView& view);

  std::int64_t height() const { return view_.height; }
  std::int64_t width() const { return view_.width; }
  /// Row `y` [width, 3]: the picture's own bytes where they are that, else `scratch` [width, 3], filled.
  std::span<const std::uint8_t> row(std::int64_t y, std::span<std::uint8_t> scratch) const;

 private:
  PixelView view_;
};

/// Writes RGB rows [first, first + count) [count, width, 3] into `view`, in its format; alpha stays as it is.
/// For YUV `first` and `count` are even: a chroma sample is the mean of its four pixels.
void write_rgb_rows(std::span<const std::uint8_t> rgb, std::int64_t first, std::int64_t count,
                    const MutablePixelView& view);

}  // namespace sealite::pixels

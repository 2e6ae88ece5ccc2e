#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace sealite::pixels {

/// Which "just noticeable difference" heat map: `jnd_A_B` on a model card.
struct JndVariant {
  int inputs = 1;   ///< A: 1 looks at luma, 3 at each colour.
  int outputs = 1;  ///< B: 1 or 3 channels.
};

/// Gives row `y` of a picture: RGB in [0, 1], `rgb` [width, 3]. Called from several threads.
using ReadRgbRow = std::function<void(std::int64_t y, std::span<float> rgb)>;

/// How much change an eye tolerates at each pixel, from the brightness and the contrast around it, divided by
/// 255 (models.md §4; videoseal/modules/jnd.py). A pixel's value depends on 2 pixels around it, zeros beyond
/// the border; so rows can be made in any order, and `rows` may be called from several threads.
class JndHeatMap {
 public:
  /// Throws kMismatch if A or B is neither 1 nor 3, kUsage if a size is not positive.
  JndHeatMap(JndVariant variant, std::int64_t height, std::int64_t width, ReadRgbRow read_row);

  /// 3 for jnd_3_3, else 1: jnd_1_3 would repeat one map three times.
  std::int64_t channels() const { return variant_.inputs == 3 && variant_.outputs == 3 ? 3 : 1; }

  /// Rows [first, last): `heat` [last - first, width, channels()]. Throws kInternal for other rows.
  void rows(std::int64_t first, std::int64_t last, std::span<float> heat) const;

 private:
  JndVariant variant_;
  std::int64_t height_;
  std::int64_t width_;
  ReadRgbRow read_row_;
};

}  // namespace sealite::pixels

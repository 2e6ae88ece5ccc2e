#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pixels/jnd.h"
#include "pixels/resize.h"
#include "sealite/pixels.h"

namespace sealite::watermark {

/// Where a watermark is made weaker so that it is seen less.
struct Attenuation {
  pixels::JndVariant variant;
  bool lowres = false;  ///< By the heat map of the resized picture, before the delta is resized to full size.
};

/// "none" or "jnd_A_B" as a model card has it. Throws kMismatch for others.
std::optional<pixels::JndVariant> parse_attenuation(std::string_view text);

/// The watermark at the picture's size before scaling: the model's delta resized (antialiased) and
/// attenuated, made a few rows at a time. `rows` may be called from several threads.
class Residual {
 public:
  /// `delta` [S, S, C], C = 1 or 3: the model's output for `resized` [S, S, 3]; `picture` has to stay.
  Residual(const PixelView& picture, const pixels::Planes& delta, const pixels::Planes& resized,
           const std::optional<Attenuation>& attenuation);

  /// 1 or 3.
  std::int64_t channels() const { return channels_; }
  /// Rows [first, last): `out` [last - first, width, channels()].
  void rows(std::int64_t first, std::int64_t last, std::span<float> out) const;

 private:
  pixels::RowResizer delta_;
  std::optional<pixels::JndHeatMap> heat_;  // of the full-size picture
  std::int64_t width_;
  std::int64_t channels_;
};

struct BlendOptions {
  float scaling_i = 1;           ///< Of the picture.
  float scaling_w = 1;           ///< Of the residual.
  std::int64_t strip_rows = 32;  ///< Rows that one task makes; the result does not depend on it.
};

/// clamp(scaling_i * picture + scaling_w * residual, 0, 1), rounded to 8 bits; one channel is added to all
/// three. Strips in parallel: beside the two pictures each thread holds a strip. `marked` has the picture's
/// size; it may be the picture itself where no heat map of it is needed any more.
void blend(const PixelView& picture, const Residual& residual, const BlendOptions& options,
           const MutablePixelView& marked);

}  // namespace sealite::watermark

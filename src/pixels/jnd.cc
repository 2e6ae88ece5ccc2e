#include "pixels/jnd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pixels/luma.h"

namespace sealite::pixels {
namespace {

constexpr std::size_t kHalo = 2;  // the largest filter has 5 x 5 pixels

/// Rows of one channel, 0 to 255, with `kHalo` zeros or neighbours on every side.
class Plane {
 public:
  Plane(std::size_t rows, std::size_t width)
      : stride_(width + 2 * kHalo), values_((rows + 2 * kHalo) * stride_, 0.0F) {}
  /// The first pixel (behind the halo) of a row; row 0 is the first of the halo.
  float* row(std::size_t y) { return values_.data() + y * stride_ + kHalo; }
  const float* row(std::size_t y) const { return values_.data() + y * stride_ + kHalo; }

 private:
  std::size_t stride_;
  std::vector<float> values_;
};

/// Brightness around pixel x of the middle one of five rows.
float background(const std::array<const float*, 5>& r, std::size_t x) {
  const auto side = [x](const float* row) {
    return row[x - 2] + row[x - 1] + row[x] + row[x + 1] + row[x + 2];
  };
  const auto inner = [x](const float* row) { return row[x - 1] + row[x] + row[x + 1]; };
  const float ring = side(r[0]) + side(r[4]) + r[1][x - 2] + r[1][x + 2] + r[2][x - 2] + r[2][x + 2] +
                     r[3][x - 2] + r[3][x + 2];
  const float near = inner(r[1]) + r[2][x - 1] + r[2][x + 1] + inner(r[3]);
  return (ring + 2.0F * near) / 32.0F;
}

/// Square of the Sobel gradient.
float gradient_squared(const std::array<const float*, 5>& r, std::size_t x) {
  const float across =
      (r[1][x + 1] - r[1][x - 1]) + 2.0F * (r[2][x + 1] - r[2][x - 1]) + (r[3][x + 1] - r[3][x - 1]);
  const float down = (r[1][x - 1] - r[3][x - 1]) + 2.0F * (r[1][x] - r[3][x]) + (r[1][x + 1] - r[3][x + 1]);
  return across * across + down * down;
}

float luminance_masking(float la) {
  return la <= 127.0F ? 17.0F * (1.0F - std::sqrt(la / 127.0F + 1e-5F))
                      : 3.0F / 128.0F * (la - 127.0F) + 3.0F;
}

/// g^2.4 from g^2.
float contrast_masking(float g2) {
  return 0.117F * (16.0F * std::pow(g2, 1.2F) / (g2 + 26.0F * 26.0F));
}

float heat_of(float la, float cm) {
  return std::max(la + cm - 0.3F * std::min(la, cm), 0.0F) / 255.0F;
}

/// Adds `share` of a channel's heat to every `stride`-th value of `heat`.
void add_heat(const Plane& plane, std::size_t rows, std::size_t width, float share, float* heat,
              std::size_t stride) {
  std::vector<float> la(width);
  std::vector<float> g2(width);
  for (std::size_t y = 0; y < rows; ++y) {
    std::array<const float*, 5> r = {};
    for (std::size_t k = 0; k < 5; ++k) r[k] = plane.row(y + k);
    for (std::size_t x = 0; x < width; ++x) {
      la[x] = background(r, x);
      g2[x] = gradient_squared(r, x);
    }
    for (std::size_t x = 0; x < width; ++x, heat += stride)
      *heat += share * heat_of(luminance_masking(la[x]), contrast_masking(g2[x]));
  }
}

}  // namespace

JndHeatMap::JndHeatMap(JndVariant variant, std::int64_t height, std::int64_t width, ReadRgbRow read_row)
    : variant_(variant), height_(height), width_(width), read_row_(std::move(read_row)) {
  for (const int channels : {variant.inputs, variant.outputs}) {
    if (channels != 1 && channels != 3) {
      fail(ErrorCode::kMismatch, "attenuation jnd_{}_{}: channels are 1 or 3", variant.inputs,
           variant.outputs);
    }
  }
  if (height < 1 || width < 1) fail(ErrorCode::kUsage, "no heat map of {} x {} pixels", height, width);
}

void JndHeatMap::rows(std::int64_t first, std::int64_t last, std::span<float> heat) const {
  const auto width = static_cast<std::size_t>(width_);
  const auto outputs = static_cast<std::size_t>(channels());
  if (first < 0 || first >= last || last > height_ ||
      heat.size() != static_cast<std::size_t>(last - first) * width * outputs) {
    fail(ErrorCode::kInternal, "heat map: rows {} to {} of {} into {} values", first, last, height_,
         heat.size());
  }
  const auto count = static_cast<std::size_t>(last - first);
  const auto inputs = static_cast<std::size_t>(variant_.inputs);
  std::vector<Plane> planes(inputs, Plane(count, width));
  std::vector<float> rgb(width * 3);
  for (std::size_t row = 0; row < count + 2 * kHalo; ++row) {
    const std::int64_t y = first + static_cast<std::int64_t>(row) - static_cast<std::int64_t>(kHalo);
    if (y < 0 || y >= height_) continue;
    read_row_(y, rgb);
    for (float& value : rgb) value *= 255.0F;
    for (std::size_t c = 0; c < inputs; ++c) {
      float* to = planes[c].row(row);
      for (std::size_t x = 0; x < width; ++x)
        to[x] = inputs == 1 ? luma(rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]) : rgb[3 * x + c];
    }
  }
  std::ranges::fill(heat, 0.0F);
  const float share = inputs == 3 && outputs == 1 ? 1.0F / 3.0F : 1.0F;
  for (std::size_t c = 0; c < inputs; ++c)
    add_heat(planes[c], count, width, share, heat.data() + (outputs == 3 ? c : 0), outputs);
}

}  // namespace sealite::pixels

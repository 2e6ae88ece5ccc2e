#include "watermark/blend.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "pixels/rgb_rows.h"

namespace sealite::watermark {
namespace {

/// v / 255, as torchvision's to_tensor.
const std::array<float, 256>& unit_values() {
  static const std::array<float, 256> kTable = [] {
    std::array<float, 256> table = {};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i) / 255.0F;
    return table;
  }();
  return kTable;
}

pixels::ReadRgbRow rows_of(const PixelView& picture) {
  return [rows = pixels::RgbRows(picture)](std::int64_t y, std::span<float> rgb) {
    thread_local std::vector<std::uint8_t> scratch;  // NOLINT: of a worker thread, for rows that are not RGB
    scratch.resize(rgb.size());
    std::ranges::transform(rows.row(y, scratch), rgb.begin(),
                           [&table = unit_values()](std::uint8_t v) { return table[v]; });
  };
}

/// `out` [pixels, max(a, b)] = values [pixels, a] * heat [pixels, b]; a and b are 1 or 3.
void multiply(std::span<const float> values, std::size_t a, std::span<const float> heat, std::size_t b,
              std::span<float> out) {
  const std::size_t channels = std::max(a, b);
  const std::size_t pixels = values.size() / a;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < channels; ++c)
      out[i * channels + c] = values[i * a + (a == 1 ? 0 : c)] * heat[i * b + (b == 1 ? 0 : c)];
  }
}

/// The delta times the heat map of what the model read.
pixels::Planes attenuate(const pixels::Planes& delta, const pixels::Planes& resized,
                         pixels::JndVariant variant) {
  const auto row = [&resized](std::int64_t y, std::span<float> rgb) {
    const auto from = std::span(resized.data).subspan(static_cast<std::size_t>(y) * rgb.size(), rgb.size());
    std::ranges::copy(from, rgb.begin());
  };
  const pixels::JndHeatMap map(variant, resized.height, resized.width, row);
  const auto pixels = static_cast<std::size_t>(resized.height * resized.width);
  std::vector<float> heat(pixels * static_cast<std::size_t>(map.channels()));
  map.rows(0, resized.height, heat);
  pixels::Planes out{delta.height, delta.width, std::max(delta.channels, map.channels()), {}};
  out.data.resize(pixels * static_cast<std::size_t>(out.channels));
  multiply(delta.data, static_cast<std::size_t>(delta.channels), heat,
           static_cast<std::size_t>(map.channels()), out.data);
  return out;
}

/// One row of `blend`; `out` may be `picture`.
void blend_row(std::span<const std::uint8_t> picture, std::span<const float> residual, std::size_t channels,
               const BlendOptions& options, std::span<std::uint8_t> out) {
  const auto& unit = unit_values();
  for (std::size_t i = 0; i < picture.size(); ++i) {
    const float mark = residual[channels == 3 ? i : i / 3];
    const float value = options.scaling_i * unit[picture[i]] + options.scaling_w * mark;
    // Half up: exact ties do not matter, and lround is a slow call.
    // NOLINTNEXTLINE(bugprone-incorrect-roundings)
    out[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 1.0F) * 255.0F + 0.5F);
  }
}

}  // namespace

std::optional<pixels::JndVariant> parse_attenuation(std::string_view text) {
  if (text == "none" || text.empty()) return std::nullopt;
  const auto channels = [&](std::size_t at) { return text[at] == '1' ? 1 : text[at] == '3' ? 3 : 0; };
  if (text.size() == 7 && text.starts_with("jnd_") && text[5] == '_' && channels(4) != 0 && channels(6) != 0)
    return pixels::JndVariant{channels(4), channels(6)};
  fail(ErrorCode::kMismatch,
       "attenuation '{}' is not known: expected none, jnd_1_1, jnd_1_3, jnd_3_1 or jnd_3_3", text);
}

Residual::Residual(const PixelView& picture, const pixels::Planes& delta, const pixels::Planes& resized,
                   const std::optional<Attenuation>& attenuation)
    : delta_(attenuation && attenuation->lowres ? attenuate(delta, resized, attenuation->variant) : delta,
             picture.height, picture.width),
      width_(picture.width),
      channels_(delta_.channels()) {
  if (!attenuation || attenuation->lowres) return;
  heat_.emplace(attenuation->variant, picture.height, picture.width, rows_of(picture));
  channels_ = std::max(channels_, heat_->channels());
}

void Residual::rows(std::int64_t first, std::int64_t last, std::span<float> out) const {
  if (!heat_) {
    delta_.rows(first, last, out);
    return;
  }
  const auto pixels = static_cast<std::size_t>((last - first) * width_);
  const auto a = static_cast<std::size_t>(delta_.channels());
  const auto b = static_cast<std::size_t>(heat_->channels());
  std::vector<float> delta(pixels * a);
  std::vector<float> heat(pixels * b);
  delta_.rows(first, last, delta);
  heat_->rows(first, last, heat);
  multiply(delta, a, heat, b, out);
}

void blend(const PixelView& picture, const Residual& residual, const BlendOptions& options,
           const MutablePixelView& marked) {
  const pixels::RgbRows rows(picture);
  const std::int64_t strip =
      std::max<std::int64_t>(options.strip_rows / 2 * 2, 2);  // pairs of rows share chroma
  const auto row = static_cast<std::size_t>(picture.width);
  const auto channels = static_cast<std::size_t>(residual.channels());
  parallel_for(static_cast<std::size_t>((picture.height + strip - 1) / strip), [&](std::size_t i) {
    const std::int64_t first = static_cast<std::int64_t>(i) * strip;
    const std::int64_t last = std::min(first + strip, picture.height);
    const std::size_t pixels = static_cast<std::size_t>(last - first) * row;
    std::vector<float> mark(pixels * channels);
    residual.rows(first, last, mark);
    const bool direct = marked.format == PixelFormat::kRgb;
    std::vector<std::uint8_t> rgb(direct ? 0 : pixels * 3);
    for (std::int64_t y = first; y < last; ++y) {
      const std::size_t at = static_cast<std::size_t>(y - first) * row;
      const auto out = direct ? std::span(marked.planes[0] + y * pixels::stride_of(marked, 0), row * 3)
                              : std::span(rgb).subspan(at * 3, row * 3);
      blend_row(rows.row(y, out), std::span(mark).subspan(at * channels, row * channels), channels, options,
                out);
    }
    if (!direct) pixels::write_rgb_rows(rgb, first, last - first, marked);
  });
}

}  // namespace sealite::watermark

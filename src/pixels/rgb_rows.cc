#include "pixels/rgb_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/shape.h"

namespace sealite::pixels {
namespace {

/// Where a packed format's samples lie in a pixel.
struct Layout {
  std::int64_t samples = 0;  ///< 0: planes of YUV.
  std::array<std::size_t, 3> rgb{};
};

Layout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
      return {3, {0, 1, 2}};
    case PixelFormat::kBgr:
      return {3, {2, 1, 0}};
    case PixelFormat::kRgba:
      return {4, {0, 1, 2}};
    case PixelFormat::kBgra:
      return {4, {2, 1, 0}};
    case PixelFormat::kGrey:
      return {1, {0, 0, 0}};
    default:
      return {};
  }
}

bool is_yuv(PixelFormat format) {
  return layout_of(format).samples == 0;
}

std::size_t plane_count(PixelFormat format) {
  return format == PixelFormat::kI420 ? 3 : format == PixelFormat::kNv12 ? 2 : 1;
}

/// Of a row that is not padded, in bytes.
std::int64_t row_bytes(const PixelView& view, std::size_t plane) {
  if (!is_yuv(view.format)) return view.width * layout_of(view.format).samples;
  return plane == 0 || view.format == PixelFormat::kNv12 ? view.width : view.width / 2;
}

/// The weights of red and blue in luma (ITU-R BT.601, BT.709), and how the values are spread.
struct Yuv {
  float red;
  float blue;
  float luma_scale = 255;
  float luma_offset = 0;
  float chroma_scale = 255;

  explicit Yuv(const PixelView& view)
      : red(view.matrix == YuvMatrix::kBt709 ? 0.2126F : 0.299F),
        blue(view.matrix == YuvMatrix::kBt709 ? 0.0722F : 0.114F) {
    if (view.full_range) return;
    luma_scale = 219;
    luma_offset = 16;
    chroma_scale = 224;
  }
  float green() const { return 1 - red - blue; }
};

std::uint8_t to_byte(float value) {
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): exact ties do not matter, and lround is a slow call
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
}

/// The plane and the byte of it where row `y`'s chroma begins, and from one sample to the next.
struct Chroma {
  std::size_t u_plane;
  std::size_t v_plane;
  std::int64_t u;
  std::int64_t v;
  std::int64_t step;
};

Chroma chroma_of(const PixelView& view, std::int64_t y) {
  const bool nv12 = view.format == PixelFormat::kNv12;
  const std::int64_t u = y / 2 * stride_of(view, 1);
  return nv12 ? Chroma{1, 1, u, u + 1, 2} : Chroma{1, 2, u, y / 2 * stride_of(view, 2), 1};
}

void yuv_row(const PixelView& view, std::int64_t y, std::uint8_t* out) {
  const Yuv yuv(view);
  const std::uint8_t* luma = view.planes[0] + y * stride_of(view, 0);
  const Chroma chroma = chroma_of(view, y);
  const std::uint8_t* us = view.planes[chroma.u_plane] + chroma.u;
  const std::uint8_t* vs = view.planes[chroma.v_plane] + chroma.v;
  for (std::int64_t x = 0; x < view.width; ++x, out += 3) {
    const std::int64_t at = x / 2 * chroma.step;
    const float l = (static_cast<float>(luma[x]) - yuv.luma_offset) * (255 / yuv.luma_scale);
    const float u = (static_cast<float>(us[at]) - 128) * (255 / yuv.chroma_scale);
    const float v = (static_cast<float>(vs[at]) - 128) * (255 / yuv.chroma_scale);
    const float r = l + 2 * (1 - yuv.red) * v;
    const float b = l + 2 * (1 - yuv.blue) * u;
    out[0] = to_byte(r);
    out[1] = to_byte((l - yuv.red * r - yuv.blue * b) / yuv.green());
    out[2] = to_byte(b);
  }
}

float luma_of(const Yuv& yuv, const std::uint8_t* rgb) {
  return yuv.red * static_cast<float>(rgb[0]) + yuv.green() * static_cast<float>(rgb[1]) +
         yuv.blue * static_cast<float>(rgb[2]);
}

/// Two rows of RGB into their luma and the chroma that they share.
void write_yuv_rows(const std::uint8_t* rgb, std::int64_t y, const MutablePixelView& view) {
  const Yuv yuv(view);
  const Chroma chroma = chroma_of(view, y);
  std::uint8_t* us = view.planes[chroma.u_plane] + chroma.u;
  std::uint8_t* vs = view.planes[chroma.v_plane] + chroma.v;
  for (std::int64_t row = 0; row < 2; ++row) {
    std::uint8_t* luma = view.planes[0] + (y + row) * stride_of(view, 0);
    for (std::int64_t x = 0; x < view.width; ++x)
      luma[x] =
          to_byte(luma_of(yuv, rgb + (row * view.width + x) * 3) * (yuv.luma_scale / 255) + yuv.luma_offset);
  }
  for (std::int64_t x = 0; x < view.width / 2; ++x) {
    float red = 0;
    float blue = 0;
    float luma = 0;
    for (const std::int64_t pixel : {2 * x, 2 * x + 1, view.width + 2 * x, view.width + 2 * x + 1}) {
      red += static_cast<float>(rgb[pixel * 3]) / 4;
      blue += static_cast<float>(rgb[pixel * 3 + 2]) / 4;
      luma += luma_of(yuv, rgb + pixel * 3) / 4;
    }
    us[x * chroma.step] = to_byte((blue - luma) / (2 * (1 - yuv.blue)) * (yuv.chroma_scale / 255) + 128);
    vs[x * chroma.step] = to_byte((red - luma) / (2 * (1 - yuv.red)) * (yuv.chroma_scale / 255) + 128);
  }
}

}  // namespace

std::int64_t stride_of(const PixelView& view, std::size_t plane) {
  return view.strides[plane] != 0 ? view.strides[plane] : row_bytes(view, plane);
}

void check_view(const PixelView& view) {
  const auto size = element_count({view.height, view.width, 4});
  if (view.width < 1 || view.height < 1 || !size)
    fail(ErrorCode::kUsage, "a picture of {} x {} pixels, expected 1 x 1 or more", view.width, view.height);
  if (is_yuv(view.format) && (view.width % 2 != 0 || view.height % 2 != 0))
    fail(ErrorCode::kUsage, "YUV pixels of {} x {}, expected even sizes", view.width, view.height);
  for (std::size_t plane = 0; plane < plane_count(view.format); ++plane) {
    if (view.planes[plane] == nullptr) fail(ErrorCode::kUsage, "plane {} of the pixels is missing", plane);
    if (stride_of(view, plane) < row_bytes(view, plane)) {
      fail(ErrorCode::kUsage, "rows of {} bytes that follow each other by {}", row_bytes(view, plane),
           stride_of(view, plane));
    }
  }
}

RgbRows::RgbRows(const PixelView& view) : view_(view) {
  check_view(view);
}

std::span<const std::uint8_t> RgbRows::row(std::int64_t y, std::span<std::uint8_t> scratch) const {
  const auto bytes = static_cast<std::size_t>(view_.width) * 3;
  const std::uint8_t* from = view_.planes[0] + y * stride_of(view_, 0);
  if (view_.format == PixelFormat::kRgb) return {from, bytes};
  if (is_yuv(view_.format)) {
    yuv_row(view_, y, scratch.data());
    return scratch.first(bytes);
  }
  const auto [samples, rgb] = layout_of(view_.format);
  for (std::uint8_t* to = scratch.data(); to != scratch.data() + bytes; to += 3, from += samples) {
    for (std::size_t c = 0; c < 3; ++c) to[c] = from[rgb[c]];
  }
  return scratch.first(bytes);
}

void write_rgb_rows(std::span<const std::uint8_t> rgb, std::int64_t first, std::int64_t count,
                    const MutablePixelView& view) {
  const std::int64_t row = view.width * 3;
  if (is_yuv(view.format)) {
    for (std::int64_t y = 0; y < count; y += 2) write_yuv_rows(rgb.data() + y * row, first + y, view);
    return;
  }
  const auto [samples, order] = layout_of(view.format);
  const Yuv grey(PixelView{.full_range = true});
  for (std::int64_t y = 0; y < count; ++y) {
    const std::uint8_t* from = rgb.data() + y * row;
    std::uint8_t* to = view.planes[0] + (first + y) * stride_of(view, 0);
    if (view.format == PixelFormat::kRgb) {
      std::copy(from, from + row, to);
      continue;
    }
    for (std::int64_t x = 0; x < view.width; ++x, from += 3, to += samples) {
      if (samples == 1) {
        *to = to_byte(luma_of(grey, from));
      } else {
        for (std::size_t c = 0; c < 3; ++c) to[order[c]] = from[c];
      }
    }
  }
}

}  // namespace sealite::pixels

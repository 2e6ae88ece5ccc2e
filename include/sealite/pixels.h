#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sealite/error.h"

namespace sealite {

/// How pixels lie in memory: 8 bits a sample, in the order that the name says; alpha is not looked at. kI420
/// is a plane of Y and quarter-size planes of U and V, kNv12 a plane of Y and one of U and V in turns.
enum class PixelFormat : std::uint8_t { kRgb, kBgr, kRgba, kBgra, kGrey, kI420, kNv12 };

/// Which YUV kI420 and kNv12 are.
enum class YuvMatrix : std::uint8_t { kBt601, kBt709 };

/// Pixels that somebody else owns, row by row from the top. `Byte` is `const std::uint8_t` or `std::uint8_t`.
template <typename Byte>
struct BasicPixelView {
  PixelFormat format = PixelFormat::kRgb;
  std::int64_t width = 0;  ///< In pixels; even for kI420 and kNv12, the height too.
  std::int64_t height = 0;
  std::array<Byte*, 3> planes{};          ///< The first one alone, but for kI420 (Y, U, V) and kNv12 (Y, UV).
  std::array<std::int64_t, 3> strides{};  ///< Bytes from one row to the next; 0: rows follow each other.
  YuvMatrix matrix = YuvMatrix::kBt601;
  bool full_range = false;  ///< Y, U and V use all 256 values, not 16 to 235 (240).

  operator BasicPixelView<const std::uint8_t>() const {  // NOLINT(google-explicit-constructor): like a span
    return {format, width, height, {planes[0], planes[1], planes[2]}, strides, matrix, full_range};
  }
};

using PixelView = BasicPixelView<const std::uint8_t>;
using MutablePixelView = BasicPixelView<std::uint8_t>;

/// Packed pixels in one plane: kRgb, kBgr, kRgba, kBgra or kGrey.
inline PixelView view_pixels(const std::uint8_t* data, std::int64_t width, std::int64_t height,
                             PixelFormat format = PixelFormat::kRgb, std::int64_t stride = 0) {
  return {format, width, height, {data, nullptr, nullptr}, {stride, 0, 0}, YuvMatrix::kBt601, false};
}

/// An 8-bit sRGB picture, upright.
struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> rgb;  ///< HWC, 3 channels.

  operator PixelView() const { return view(); }  // NOLINT(google-explicit-constructor): as a string is a view
  /// Without a plane, which nothing takes, if `rgb` has another size than it should.
  PixelView view() const { return view_pixels(is_whole() ? rgb.data() : nullptr, width, height); }
  MutablePixelView mutable_view() {
    std::uint8_t* const data = is_whole() ? rgb.data() : nullptr;
    return {PixelFormat::kRgb, width, height, {data, nullptr, nullptr}, {}, YuvMatrix::kBt601, false};
  }
  bool is_whole() const {
    return width > 0 && height > 0 &&
           rgb.size() / 3 / static_cast<std::uint64_t>(width) == static_cast<std::uint64_t>(height) &&
           rgb.size() % (3 * static_cast<std::uint64_t>(width)) == 0;
  }
};

}  // namespace sealite

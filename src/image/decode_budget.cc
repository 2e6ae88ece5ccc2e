#include "image/decode_budget.h"

#include <algorithm>

#include "base/error.h"
#include "image/picture.h"

namespace sealite::image {
namespace {

/// Bytes of all the samples of a pixel.
double pixel_bytes(VipsImage* image) {
  return static_cast<double>(vips_format_sizeof(vips_image_get_format(image))) * vips_image_get_bands(image);
}

/// Bytes for each pixel that the decoder holds of the whole picture, beside the three that it is read into.
/// WebP, HEIF, GIF, JPEG XL and JPEG 2000: measured with libwebp 1.2.4, libheif 1.15, libvips 8.14, libjxl
/// 0.7 and OpenJPEG 2.5 (docs/security.md).
double held_bytes(VipsImage* image, Decoder decoder, const JpegScans& jpeg) {
  constexpr double kWebp = 8;
  constexpr double kHeif = 10;
  constexpr double kGif = 8;
  constexpr double kJxl = 16;
  constexpr double kJp2 = 6;
  const auto sample = static_cast<double>(vips_format_sizeof(vips_image_get_format(image)));
  const double pixel = pixel_bytes(image);
  switch (decoder) {
    case Decoder::kJpeg:
      return jpeg.coefficient_bytes;
    case Decoder::kPng:
      return vips_image_get_typeof(image, "interlaced") != 0 ? pixel : 0;
    case Decoder::kWebp:
      return kWebp;
    case Decoder::kTiff:
      return pixel;  // a strip or a row of tiles may be all of it
    case Decoder::kHeif:
      return kHeif * sample;
    case Decoder::kGif:
      return kGif;
    case Decoder::kPpm:
      return 0;
    case Decoder::kJxl:
      return kJxl;
    case Decoder::kJp2:
      return kJp2 * vips_image_get_bands(image);
  }
  return 0;
}

/// The rows that libvips keeps behind a decoder that it reads from top to bottom: as many as this, measured
/// with 8.14 on rows of 65,500 pixels. Of a flat picture that is all of it once more.
double kept_row_bytes(VipsImage* image) {
  constexpr int kRows = 640;
  return pixel_bytes(image) * vips_image_get_width(image) * std::min(kRows, vips_image_get_height(image));
}

}  // namespace

void check_decode_budget(VipsImage* image, Decoder decoder, const JpegScans& jpeg, std::uint64_t max_pixels) {
  const auto width = static_cast<std::uint64_t>(vips_image_get_width(image));
  const auto height = static_cast<std::uint64_t>(vips_image_get_height(image));
  const double pixels = static_cast<double>(width) * static_cast<double>(height);
  const auto limit = static_cast<double>(max_pixels);
  if (pixels > limit) {
    fail(ErrorCode::kUnsupported, "{} x {} pixels are more than the limit of {}", width, height, max_pixels);
  }
  if (static_cast<double>(jpeg.scans) * pixels > static_cast<double>(kScansPerPixel) * limit) {
    fail(
        ErrorCode::kUnsupported,
        "{} x {} pixels in {} scans: with the limit of {} pixels at most {} scans over all of them are read; "
        "save it as a baseline JPEG",
        width, height, jpeg.scans, max_pixels, kScansPerPixel);
  }
  constexpr double kRgb = 3;
  constexpr double kSmall = 64e6;  // of a program that takes 40 MB to start with
  const double bytes = (kRgb + held_bytes(image, decoder, jpeg)) * pixels + kept_row_bytes(image);
  if (bytes > std::max(kSmall, static_cast<double>(kBytesPerPixel) * limit)) {
    fail(
        ErrorCode::kUnsupported,
        "{} x {} pixels: this kind of file takes {:.0f} MB to decode, and the limit of {} pixels gives it {} "
        "bytes for each; save it as 8-bit PNG or baseline JPEG",
        width, height, bytes / 1e6, max_pixels, kBytesPerPixel);
  }
}

}  // namespace sealite::image

#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace sealite::image {

/// An 8-bit sRGB picture, upright.
struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> rgb;  ///< HWC, 3 channels.
};

struct ReadLimits {
  std::uint64_t max_pixels = 400'000'000;  ///< Checked against the header, before anything is decoded.
};

/// Reads the first picture of a JPEG, PNG, WebP, AVIF/HEIC or TIFF file, known by its content, not its name.
/// The EXIF orientation is applied, grey repeated, alpha dropped, CMYK converted without a profile, of 16
/// bits the high byte kept, an embedded profile ignored. So the bytes are those of Pillow's `convert("RGB")`
/// after `exif_transpose`, which the reference pipeline uses; only AVIF differs by rounding and chroma
/// interpolation (libheif, not libavif), and 16-bit grey, which Pillow clips to white. Throws kNotFound (no
/// such file), kMalformed (broken, truncated or not a picture), kUnsupported (over the limit, or colours that
/// have no RGB).
Picture read_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

}  // namespace sealite::image

#pragma once

#include <optional>
#include <string_view>

#include "image/decoder.h"

namespace sealite::image {

/// What is read, in words.
inline constexpr const char* kFormatsRead =
    "JPEG, PNG, WebP, AVIF/HEIC, TIFF, GIF, PPM/PGM/PBM, JPEG XL and JPEG 2000 are read";

/// libvips' operation that reads a file ("jpegload", and "jpegload_source" of bytes in memory).
struct PictureFormat {
  const char* loader;
  Decoder decoder;
};

/// So many first bytes tell one format from another.
inline constexpr std::size_t kFormatBytes = 32;

/// The format of a file that starts with `start`, if it is one of those that are read. Only their decoders
/// ever see the bytes: libvips knows many more, and its own search would try them all.
std::optional<PictureFormat> find_format(std::string_view start);

/// "a BMP picture", "a video", … for what is known and not read.
std::optional<std::string_view> name_unread_format(std::string_view start);

}  // namespace sealite::image

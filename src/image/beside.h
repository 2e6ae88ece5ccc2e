#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/decoder.h"
#include "image/picture_input.h"

namespace sealite::image {

/// Pixels for each metre, or with `ratio_only` how much longer a pixel is than wide.
struct PixelDensity {
  double x = 1;
  double y = 1;
  bool ratio_only = false;
};

/// A PNG's chunk or a JPEG's segment: its kind (four letters, "APP13") and its contents.
struct Block {
  std::string kind;
  std::string contents;
};

/// What lies beside the pixels and libvips would lose or change.
struct Beside {
  std::vector<Block> png;             ///< Texts, colour chunks and what is safe to copy (PNG 1.2, 14.2).
  std::vector<Block> jpeg;            ///< Application segments that are no EXIF, XMP or profile.
  std::vector<std::string> comments;  ///< Of a JPEG.
  std::string brief_xmp;              ///< Of a JPEG whose XMP goes on in further segments.
  std::vector<std::string> long_xmp;  ///< Its segments with parts of an XMP text (image/long_xmp.h).
  std::optional<PixelDensity> density;
  std::vector<std::string> lost;  ///< What cannot survive marking, in words.
  bool gain_map = false;          ///< So the XMP that announces it goes too.
};

/// Reads what lies beside the pixels of a file that `examine` knows; at most 64 MiB of it.
Beside read_beside(const PictureInput& input, Decoder decoder);

/// Whether an XMP text speaks of a gain map.
bool announces_gain_map(std::string_view xmp);

}  // namespace sealite::image

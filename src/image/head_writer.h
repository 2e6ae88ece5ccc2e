#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/beside.h"
#include "image/encode.h"

namespace sealite::image {

/// What goes into a file's head as it is.
struct Head {
  std::string exif;  ///< From its byte order on; empty if there is none.
  std::string xmp;
  std::vector<Block> blocks;  ///< PNG chunks or JPEG segments ("COM", "APP13").
  std::optional<PixelDensity> density;
};

/// What of the source's goes into a file of this format; `left_out` says in words what does not.
Head make_head(const Metadata& metadata, FileFormat format, std::vector<std::string>& left_out);

/// `encoded`, the beginning of a PNG or JPEG as libvips writes it or a whole WebP or AVIF, with this head:
/// libvips' EXIF, XMP, texts and density are taken out, its profile stays. Nothing while the beginning is too
/// short, or if an AVIF's structure is none that is known.
std::optional<std::string> with_head(const std::string& encoded, FileFormat format, const Head& head);

}  // namespace sealite::image

#pragma once

#include <optional>
#include <string>

namespace sealite::image {

/// A whole AVIF as libheif writes it (ISO 23008-12: one box of items, one of their data), whose EXIF and XMP
/// are these and none of libheif's; `exif` begins with its byte order, and an empty one has no item. Nothing
/// if the file's structure is another one.
std::optional<std::string> heif_with(const std::string& encoded, const std::string& exif,
                                     const std::string& xmp);

}  // namespace sealite::image

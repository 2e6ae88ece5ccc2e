#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/beside.h"
#include "image/vips_image.h"

namespace sealite::image {

/// A picture file's colour profile, EXIF, XMP and resolution. The orientation in them is made 1, since
/// pixels are upright once read; an EXIF thumbnail is left out, since it shows the picture as it was; and so
/// is a profile that is not for RGB.
class Metadata {
 public:
  Metadata(VipsImage* source, Beside beside);

  /// Sets all of it on an image that is about to be written.
  void put_on(VipsImage* image) const;
  /// What libvips does not carry.
  const Beside& beside() const { return beside_; }
  /// The bytes of the field `name`; empty if there is none.
  std::vector<std::uint8_t> block(const char* name) const;

 private:
  void take_long_xmp(VipsImage* fields);
  void swap_axes(VipsImage* fields);

  Beside beside_;
  Image fields_;  // 1 x 1: libvips keeps fields on images
};

/// Takes the thumbnail out of an EXIF block: its directory is no longer named, its bytes are zeros.
void remove_exif_thumbnail(std::span<std::uint8_t> exif);

/// Swaps what an EXIF block says of a picture's two axes (sizes, resolutions), which is turned.
void swap_exif_axes(std::span<std::uint8_t> exif);
/// The same in an XMP text.
std::string swap_xmp_axes(std::string xmp);

/// Sets the orientation in an EXIF block to 1, if there is one. What is no EXIF stays as it is.
void reset_exif_orientation(std::span<std::uint8_t> exif);

/// The same for every `tiff:Orientation` in an XMP text.
void reset_xmp_orientation(std::span<std::uint8_t> xmp);

}  // namespace sealite::image

#pragma once

#include "image/tiff_directory.h"
#include "image/vips_image.h"

namespace sealite::image {

/// Whether it is CMYK, which is read without a profile.
bool is_cmyk(VipsImage* image);

/// CMYK as it is in four 8-bit bands, everything else as RGB in three: of 16 and of a TIFF's 32 bits the high
/// byte. Throws kUnsupported for other samples and for colours that have no RGB.
Image convert_bands(VipsImage* image, const TiffSamples& tiff);

/// Whether it has an alpha channel that can be kept.
bool has_alpha(VipsImage* image);

/// `rgb` with the alpha of `image`, as it is in the file, as a fourth band.
Image add_alpha(VipsImage* image, const Image& rgb);

}  // namespace sealite::image

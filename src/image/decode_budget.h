#pragma once

#include <vips/vips.h>
#include <cstdint>

#include "image/decoder.h"
#include "image/jpeg_scans.h"

namespace sealite::image {

/// Throws kUnsupported if reading `image`, of which only the header has been read, would take more than the
/// budget of `max_pixels` pixels (image/picture.h). `jpeg` is of JPEG files alone.
void check_decode_budget(VipsImage* image, Decoder decoder, const JpegScans& jpeg, std::uint64_t max_pixels);

}  // namespace sealite::image

#pragma once

#include "image/jpeg_scans.h"
#include "image/picture_format.h"
#include "image/picture_input.h"
#include "image/tiff_directory.h"

namespace sealite::image {

/// What a file says of itself before libvips sees it.
struct KnownFile {
  PictureFormat format;
  JpegScans jpeg;
  TiffSamples tiff;
  int frames = 1;          ///< Or pictures, as far as libvips would not tell: of APNG, MPO and AVIF.
  bool lacks_end = false;  ///< A JPEG without its end marker.
};

/// Knows a file by its content, not its name. Throws kMalformed for what is no picture or cannot be whole,
/// kUnsupported for pictures that are known and not read.
KnownFile examine(const PictureInput& input);

}  // namespace sealite::image

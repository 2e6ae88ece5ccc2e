#pragma once

#include "pixels/picture_reader.h"

namespace sealite {

/// Reads picture files with libvips, or says that this library was built without it.
pixels::PictureReader file_reader();

}  // namespace sealite

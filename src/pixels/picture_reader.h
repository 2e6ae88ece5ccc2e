#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "sealite/pixels.h"

namespace sealite::pixels {

/// Reads a picture file of at most so many pixels; kUnsupported for larger ones. Who reads pictures of a
/// checkpoint's user (to calibrate, to verify) is given one, and so needs no library for files.
using PictureReader = std::function<Picture(const std::filesystem::path& file, std::uint64_t max_pixels)>;

}  // namespace sealite::pixels

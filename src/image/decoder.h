#pragma once

#include <cstdint>

namespace sealite::image {

/// How the decoder of a format goes about it.
enum class Decoder : std::uint8_t { kJpeg, kPng, kWebp, kTiff, kHeif, kGif, kPpm, kJxl, kJp2 };

}  // namespace sealite::image

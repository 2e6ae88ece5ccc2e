#pragma once

#include <cstdint>
#include <vector>

namespace sealite::pixels {

/// An 8-bit sRGB picture, upright.
struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> rgb;  ///< HWC, 3 channels.
};

}  // namespace sealite::pixels

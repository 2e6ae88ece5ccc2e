#pragma once

#include <cstdint>

namespace sealite {

/// Order of the axes of a model's input image, and of its output where that is a map.
enum class ImageLayout : std::uint8_t {
  kNchw,  ///< [1,3,S,S], as PyTorch has it
  kNhwc,  ///< [1,S,S,3], as cameras and mobile samples have it: one TRANSPOSE less
};

}  // namespace sealite

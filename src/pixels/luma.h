#pragma once

namespace sealite::pixels {

/// Brightness of an RGB pixel (BT.601), in the unit of its values.
inline float luma(float red, float green, float blue) {
  return 0.299F * red + 0.587F * green + 0.114F * blue;
}

}  // namespace sealite::pixels

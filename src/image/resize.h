#pragma once

#include <cstdint>
#include <vector>

#include "image/picture.h"

namespace sealite::image {

/// A float picture or map, e.g. RGB in [0, 1] or a one-channel watermark.
struct Planes {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<float> data;  ///< HWC.
};

/// Antialiased bilinear resize in float32, equal to PyTorch's `interpolate(mode="bilinear", antialias=True,
/// align_corners=False)` but for the last rounding: a triangle filter, as wide as the reduction, renormalised
/// at the border. From 8 bits: values are divided by 255 first. The same size is that conversion alone. The
/// result does not depend on the number of threads; beside it each thread holds two rows, no second picture.
/// Throws kUsage if a size is not positive or `data` does not fit its sizes.
Planes resize_antialiased(const Picture& picture, std::int64_t height, std::int64_t width);
Planes resize_antialiased(const Planes& planes, std::int64_t height, std::int64_t width);

/// The same values plane after plane (CHW), as PyTorch has them.
std::vector<float> to_chw(const Planes& planes);

}  // namespace sealite::image

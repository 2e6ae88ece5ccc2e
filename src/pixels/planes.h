#pragma once

#include <cstdint>
#include <vector>

#include "sealite/image_layout.h"

namespace sealite::pixels {

/// A float picture or map, e.g. RGB in [0, 1] or a one-channel watermark.
struct Planes {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<float> data;  ///< HWC.
};

/// The values as a model's tensor has them: HWC or, plane after plane, CHW.
std::vector<float> in_layout(const Planes& planes, ImageLayout layout);

/// The inverse: from a tensor's values.
Planes from_layout(std::vector<float> values, ImageLayout layout, std::int64_t height, std::int64_t width,
                   std::int64_t channels);

}  // namespace sealite::pixels

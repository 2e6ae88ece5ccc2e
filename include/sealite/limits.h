#pragma once

#include <cstdint>

namespace sealite {

/// Pixels of the largest picture file that is read unless options say otherwise: 400 megapixels, 1.2 GB of
/// RGB.
inline constexpr std::uint64_t kMaxPixels = 400'000'000;

}  // namespace sealite

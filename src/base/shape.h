#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sealite {

/// Dimensions, outermost first. The order of the axes is the owner's matter (NHWC, OHWI, …).
using Shape = std::vector<std::int64_t>;

/// Product of the dimensions (1 for a scalar); nothing if one is negative or the product overflows.
std::optional<std::uint64_t> element_count(const Shape& shape);

/// "[1, 3, 256, 256]".
std::string to_string(const Shape& shape);

}  // namespace sealite

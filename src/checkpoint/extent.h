#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/shape.h"

namespace sealite::checkpoint {

/// Elements from the first one to the last one that `shape` and `strides` reach (0 if the tensor is empty);
/// nothing if a size or stride is negative, their counts differ, or a number overflows.
inline std::optional<std::uint64_t> reached_elements(const Shape& shape,
                                                     const std::vector<std::int64_t>& strides) {
  const auto count = element_count(shape);
  if (!count || shape.size() != strides.size()) return std::nullopt;
  std::optional<std::uint64_t> reach = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (strides[axis] < 0) return std::nullopt;
    if (shape[axis] == 0) continue;
    const auto step = checked_multiply(static_cast<std::uint64_t>(shape[axis] - 1),
                                       static_cast<std::uint64_t>(strides[axis]));
    if (!step) return std::nullopt;
    reach = checked_add(*reach, *step);
    if (!reach) return std::nullopt;
  }
  return *count == 0 ? 0 : reach;
}

/// The strides of a row-major tensor; `element_count(shape)` must exist.
inline std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis > 1; --axis) {
    // An empty axis counts as one element here, as in torch: the others keep their strides.
    const std::int64_t size = shape[axis - 1] > 0 ? shape[axis - 1] : 1;
    // Cannot overflow unless the tensor is empty; then the strides do not matter.
    if (__builtin_mul_overflow(strides[axis - 1], size, &strides[axis - 2])) strides[axis - 2] = 0;
  }
  return strides;
}

}  // namespace sealite::checkpoint

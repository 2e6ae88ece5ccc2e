#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace sealite::graph {

/// The bytes of float32 values, which a source fills.
inline std::span<float> as_floats(MutableByteView bytes) {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

inline std::size_t to_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

}  // namespace sealite::graph

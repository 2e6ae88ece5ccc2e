#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/dtype.h"

namespace sealite::checkpoint {

/// float32, float16 and bfloat16.
bool is_float(DType type);

/// Rounds the floats of `in` to another float type, to the nearest even; NaN stays NaN. Returns how many
/// finite values were too large for the new type and became infinite. The views need no alignment and must
/// not overlap; throws kUsage if they have different numbers of elements or a type is no float.
std::uint64_t convert_floats(DType from, ByteView in, DType to, MutableByteView out);

}  // namespace sealite::checkpoint

#pragma once

#include <cstdint>

namespace sealite::evaluate {

/// y [rows, out] += x [rows, in] · w [out, in]^T, all row-major float32. Sums run in as many parts as the
/// processor's vectors have lanes, so the last bits depend on the processor, but not on how rows are split
/// between calls.
void add_product(const float* x, std::int64_t rows, const float* w, std::int64_t out, std::int64_t in,
                 float* y);

}  // namespace sealite::evaluate

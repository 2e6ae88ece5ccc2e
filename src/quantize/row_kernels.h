#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// The inner loops of quantising, in SIMD with run-time dispatch (Highway). Each gives bit for bit what its
// scalar twin in quantize/row_kernels_scalar gives, on every processor.
namespace sealite::quantize {

/// Largest |value|; infinity if any value is NaN or infinite. 0 for an empty row.
float max_abs(std::span<const float> row);

/// out[i] = round to nearest even (row[i] * inverse_scale), clamped to [-limit, limit].
void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit,
                  std::span<std::int8_t> out);

/// Sum of (row[i] - scale * quantised)^2 where quantised is as `quantize_row` gives with 1 / scale. Summed in
/// sixteen lanes, so that the result does not depend on the processor's vector length.
float squared_error(std::span<const float> row, float scale, std::int32_t limit);

/// Sum of (row[i] - scale * quantised) * weights[i], in the same sixteen lanes: by how much rounding shifts
/// the row's product with `weights`.
float rounding_shift(std::span<const float> row, float scale, std::int32_t limit,
                     std::span<const float> weights);

/// The same for `to_half_row`.
float half_rounding_shift(std::span<const float> row, std::span<const float> weights);

/// Sums of row[i] * weights[i] and of row[i]^2 * weights[i], in the same sixteen lanes.
float weighted_sum(std::span<const float> row, std::span<const float> weights);
float weighted_squares(std::span<const float> row, std::span<const float> weights);

/// fp16 (IEEE binary16), rounded to nearest even; the values are within [-65504, 65504].
void to_half_row(std::span<const float> row, std::span<std::uint16_t> out);

}  // namespace sealite::quantize

#pragma once

#include "quantize/row_kernels.h"

// The definition of the row kernels in plain loops: what the SIMD ones are tested against.
namespace sealite::quantize::scalar {

float max_abs(std::span<const float> row);
void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit,
                  std::span<std::int8_t> out);
float squared_error(std::span<const float> row, float scale, std::int32_t limit);
float rounding_shift(std::span<const float> row, float scale, std::int32_t limit,
                     std::span<const float> weights);
float half_rounding_shift(std::span<const float> row, std::span<const float> weights);
float weighted_sum(std::span<const float> row, std::span<const float> weights);
float weighted_squares(std::span<const float> row, std::span<const float> weights);
void to_half_row(std::span<const float> row, std::span<std::uint16_t> out);

/// Lanes of `squared_error`; a multiple of every vector length up to 512 bits.
inline constexpr std::size_t kLanes = 16;

}  // namespace sealite::quantize::scalar

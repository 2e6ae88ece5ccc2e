#include "quantize/row_kernels_scalar.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/dtype.h"

namespace sealite::quantize::scalar {

float max_abs(std::span<const float> row) {
  float largest = 0;
  bool finite = true;
  for (const float value : row) {
    finite = finite && std::isfinite(value);
    largest = std::max(largest, std::abs(value));
  }
  return finite ? largest : std::numeric_limits<float>::infinity();
}

void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit, std::span<std::int8_t> out) {
  const auto bound = static_cast<float>(limit);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float clamped = std::clamp(row[i] * inverse_scale, -bound, bound);
    out[i] = static_cast<std::int8_t>(std::nearbyint(clamped));
  }
}

float squared_error(std::span<const float> row, float scale, std::int32_t limit) {
  const auto bound = static_cast<float>(limit);
  const float inverse_scale = 1.0F / scale;
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float quantized = std::nearbyint(std::clamp(row[i] * inverse_scale, -bound, bound));
    const float product = quantized * scale;
    const float error = row[i] - product;
    const float square = error * error;
    sums[i % kLanes] += square;
  }
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

void to_half_row(std::span<const float> row, std::span<std::uint16_t> out) {
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = float_to_half(row[i]);
}

}  // namespace sealite::quantize::scalar

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

void quantize_row(std::span<const float> row, float inverse_scale, std::int32_t limit,
                  std::span<std::int8_t> out) {
  const auto bound = static_cast<float>(limit);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float clamped = std::clamp(row[i] * inverse_scale, -bound, bound);
    out[i] = static_cast<std::int8_t>(std::nearbyint(clamped));
  }
}

namespace {

// Sums term(i) over [0, count) in lanes, then the lanes in order.
template <typename Term>
float lane_sum(std::size_t count, Term term) {
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < count; ++i) sums[i % kLanes] += term(i);
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

float rounding_error(float value, float scale, float inverse_scale, std::int32_t limit) {
  const auto bound = static_cast<float>(limit);
  const float product = std::nearbyint(std::clamp(value * inverse_scale, -bound, bound)) * scale;
  return value - product;
}

}  // namespace

float squared_error(std::span<const float> row, float scale, std::int32_t limit) {
  return lane_sum(row.size(), [&, inverse = 1.0F / scale](std::size_t i) {
    const float error = rounding_error(row[i], scale, inverse, limit);
    return error * error;
  });
}

float rounding_shift(std::span<const float> row, float scale, std::int32_t limit,
                     std::span<const float> weights) {
  return lane_sum(row.size(), [&, inverse = 1.0F / scale](std::size_t i) {
    return rounding_error(row[i], scale, inverse, limit) * weights[i];
  });
}

float half_rounding_shift(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(row.size(), [&](std::size_t i) {
    return (row[i] - half_to_float(float_to_half(row[i]))) * weights[i];
  });
}

float weighted_sum(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(row.size(), [&](std::size_t i) { return row[i] * weights[i]; });
}

float weighted_squares(std::span<const float> row, std::span<const float> weights) {
  return lane_sum(row.size(), [&](std::size_t i) { return row[i] * row[i] * weights[i]; });
}

void to_half_row(std::span<const float> row, std::span<std::uint16_t> out) {
  for (std::size_t i = 0; i < row.size(); ++i) out[i] = float_to_half(row[i]);
}

}  // namespace sealite::quantize::scalar

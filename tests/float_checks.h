#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "base/shape.h"

namespace sealite {

/// As many values as `shape` holds, uniform in [low, high), the same on every machine.
inline std::vector<float> random_values(const Shape& shape, unsigned seed, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  std::vector<float> values(element_count(shape).value());
  for (float& value : values) value = low + (high - low) * static_cast<float>(generator() >> 8U) * 0x1p-24F;
  return values;
}

/// Expects |actual - expected| <= absolute + relative * |expected| everywhere; NaN never passes.
template <typename Expected>
void expect_near(std::span<const float> actual, const std::vector<Expected>& expected, double absolute,
                 double relative, std::string_view what = {}) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto wanted = static_cast<double>(expected[i]);
    const double difference = std::abs(static_cast<double>(actual[i]) - wanted);
    if (difference == 0) continue;
    const double error = difference / (absolute + relative * std::abs(wanted));
    if (error <= worst) continue;
    worst = error;
    at = i;
    if (std::isnan(error)) break;
  }
  EXPECT_LE(worst, 1.0) << what << " [" << at << "]: " << actual[at] << " instead of " << expected[at]
                        << ", times the tolerance";
}

/// ‖actual - expected‖ / ‖expected‖.
inline double relative_error(std::span<const float> actual, const std::vector<float>& expected) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double d = static_cast<double>(actual[i]) - static_cast<double>(expected[i]);
    difference += d * d;
    norm += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  return std::sqrt(difference / norm);
}

}  // namespace sealite

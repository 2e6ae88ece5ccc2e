#include "quantize/row_kernels.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/dtype.h"
#include "float_checks.h"
#include "quantize/row_kernels_scalar.h"

namespace sealite::quantize {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Runs `body` once for each instruction set of this processor that Highway compiled for.
template <typename Body>
void for_each_target(Body body) {
  for (std::int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Lengths around every vector length and the sixteen lanes, and values that exercise rounding and clamping.
std::vector<float> row_of(std::size_t length, unsigned seed) {
  std::vector<float> row = random_values({static_cast<std::int64_t>(length)}, seed, -3, 3);
  for (std::size_t i = 0; i < length; i += 7) row[i] = std::round(row[i]) + 0.5F;  // ties
  if (length > 3) row[length - 2] = -40;
  return row;
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

TEST(RowKernels, SimdAgreesWithScalarBitForBit) {
  for_each_target([] {
    for (std::size_t length = 0; length < 100; ++length) {
      const std::vector<float> row = row_of(length, 1 + static_cast<unsigned>(length));
      const std::vector<float> weights = row_of(length, 1000 + static_cast<unsigned>(length));
      for (const std::int32_t limit : {7, 127}) {
        const float scale = 40.0F / static_cast<float>(limit);
        std::vector<std::int8_t> simd(length);
        std::vector<std::int8_t> scalar(length);
        quantize_row(row, 1 / scale, limit, simd);
        scalar::quantize_row(row, 1 / scale, limit, scalar);
        ASSERT_EQ(simd, scalar) << length;
        const float smaller = scale / 8;  // clamps
        ASSERT_TRUE(same_bits(squared_error(row, smaller, limit), scalar::squared_error(row, smaller, limit)))
            << length;
        ASSERT_TRUE(same_bits(rounding_shift(row, smaller, limit, weights),
                              scalar::rounding_shift(row, smaller, limit, weights)))
            << length;
      }
      ASSERT_TRUE(same_bits(max_abs(row), scalar::max_abs(row)));
      ASSERT_TRUE(same_bits(weighted_sum(row, weights), scalar::weighted_sum(row, weights))) << length;
      ASSERT_TRUE(same_bits(weighted_squares(row, weights), scalar::weighted_squares(row, weights)))
          << length;
      ASSERT_TRUE(same_bits(half_rounding_shift(row, weights), scalar::half_rounding_shift(row, weights)))
          << length;
    }
  });
}

TEST(RowKernels, HalvesAgreeWithScalarOverTheWholeRange) {
  std::vector<float> row;
  for (int exponent = -30; exponent <= 15; ++exponent) {
    for (int step = 0; step < 97; ++step) {
      const float magnitude = std::ldexp(1.0F + static_cast<float>(step) / 97.0F, exponent);
      row.push_back(step % 2 == 0 ? magnitude : -magnitude);
    }
  }
  row.insert(row.end(),
             {0.0F, -0.0F, 65504.0F, -65504.0F, 0x1p-24F, 0x1p-25F, 0x1.8p-25F, 0x1.004p0F, 0x1.00cp0F});
  std::vector<std::uint16_t> expected(row.size());
  scalar::to_half_row(row, expected);
  for_each_target([&] {
    std::vector<std::uint16_t> halves(row.size());
    to_half_row(row, halves);
    for (std::size_t i = 0; i < row.size(); ++i) ASSERT_EQ(halves[i], expected[i]) << row[i];
  });
}

TEST(RowKernels, MaxAbsReportsWhatIsNoNumber) {
  for_each_target([] {
    for (const std::size_t length : {1U, 15U, 16U, 17U, 64U, 99U}) {
      for (const float bad : {kNan, kInfinity, -kInfinity}) {
        for (std::size_t position = 0; position < length; position += 5) {
          std::vector<float> row(length, 0.25F);
          row[position] = bad;
          ASSERT_EQ(max_abs(row), kInfinity) << bad << " at " << position << " of " << length;
        }
      }
    }
  });
}

}  // namespace
}  // namespace sealite::quantize

#include "base/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace sealite {
namespace {

const std::vector<DType>& all_types() {
  static const std::vector<DType> kTypes = {DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                                            DType::kInt64,   DType::kInt32,   DType::kInt8,
                                            DType::kUInt8,   DType::kBool,    DType::kInt4};
  return kTypes;
}

TEST(DTypeTest, NamesAreDistinct) {
  std::set<std::string> names;
  for (const DType type : all_types()) names.emplace(dtype_name(type));
  EXPECT_EQ(names.size(), all_types().size());
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(DTypeTest, BytesFollowBits) {
  for (const DType type : all_types()) {
    EXPECT_EQ(dtype_bytes(type, 0), 0U);
    EXPECT_EQ(dtype_bytes(type, 10), dtype_bits(type) * 10 / 8) << dtype_name(type);
  }
  EXPECT_EQ(dtype_bytes(DType::kFloat32, 3), 12U);
  EXPECT_EQ(dtype_bytes(DType::kInt64, 3), 24U);
}

TEST(DTypeTest, Int4RoundsUpToWholeBytes) {
  EXPECT_EQ(dtype_bytes(DType::kInt4, 1), 1U);
  EXPECT_EQ(dtype_bytes(DType::kInt4, 2), 1U);
  EXPECT_EQ(dtype_bytes(DType::kInt4, 3), 2U);
  EXPECT_EQ(dtype_bytes(DType::kInt4, std::numeric_limits<std::uint64_t>::max()), std::uint64_t{1} << 63U);
}

// The value of a half by its definition, in double.
double half_by_definition(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

bool is_half_nan(std::uint16_t half) {
  return (half & 0x7FFFU) > 0x7C00U;
}

TEST(HalfTest, EveryHalfHasItsDefinedValue) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (is_half_nan(half)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else if ((half & 0x7FFFU) == 0x7C00U) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), half_by_definition(half)) << bits;
    }
    ASSERT_EQ(std::signbit(value), (half & 0x8000U) != 0) << bits;
  }
}

TEST(HalfTest, EveryHalfSurvivesARoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const std::uint16_t back = float_to_half(half_to_float(half));
    if (is_half_nan(half)) {
      ASSERT_TRUE(is_half_nan(back)) << bits;
    } else {
      ASSERT_EQ(back, half) << bits;
    }
  }
}

// Between any two neighbours: just below, at and just above the midpoint.
TEST(HalfTest, RoundsToNearestEven) {
  for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits);
    const auto high = static_cast<std::uint16_t>(bits + 1);
    const float middle = (half_to_float(low) + half_to_float(high)) / 2;  // exact: one bit more than a half
    const std::uint16_t even = (low & 1U) == 0 ? low : high;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 0.0F)), low) << bits;
    ASSERT_EQ(float_to_half(middle), even) << bits;
    ASSERT_EQ(float_to_half(std::nextafter(middle, 1e6F)), high) << bits;
    ASSERT_EQ(float_to_half(-middle), even | 0x8000U) << bits;
  }
}

TEST(HalfTest, OverflowAndUnderflow) {
  EXPECT_EQ(float_to_half(65504.0F), 0x7BFFU);
  EXPECT_EQ(float_to_half(std::nextafter(65520.0F, 0.0F)), 0x7BFFU);
  EXPECT_EQ(float_to_half(65520.0F), 0x7C00U);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::max()), 0x7C00U);
  EXPECT_EQ(float_to_half(-std::numeric_limits<float>::infinity()), 0xFC00U);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::denorm_min()), 0U);
  EXPECT_EQ(float_to_half(-0.0F), 0x8000U);
  EXPECT_TRUE(is_half_nan(float_to_half(std::numeric_limits<float>::quiet_NaN())));
  // A NaN whose payload has only low bits must not turn into infinity.
  EXPECT_TRUE(is_half_nan(float_to_half(std::bit_cast<float>(0x7F800001U))));
}

TEST(BFloat16Test, IsTheUpperHalfOfAFloat) {
  EXPECT_EQ(bfloat16_to_float(0x3F80), 1.0F);
  EXPECT_EQ(bfloat16_to_float(0xC2F7), -123.5F);
  EXPECT_TRUE(std::isinf(bfloat16_to_float(0x7F80)));
  EXPECT_TRUE(std::isnan(bfloat16_to_float(0x7FC0)));
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16U);
  }
}

bool is_bfloat16_nan(std::uint16_t value) {
  return (value & 0x7FFFU) > 0x7F80U;
}

TEST(BFloat16Test, EveryValueSurvivesARoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto value = static_cast<std::uint16_t>(bits);
    const std::uint16_t back = float_to_bfloat16(bfloat16_to_float(value));
    if (is_bfloat16_nan(value)) {
      ASSERT_TRUE(is_bfloat16_nan(back)) << bits;
      ASSERT_EQ(back & 0x8000U, value & 0x8000U) << bits;
    } else {
      ASSERT_EQ(back, value) << bits;
    }
  }
}

// Between any two neighbours: just below, at and just above the midpoint; the last one rounds to infinity.
TEST(BFloat16Test, RoundsToNearestEven) {
  for (std::uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const std::uint32_t middle = (bits << 16U) | 0x8000U;
    const std::uint32_t even = bits + (bits & 1U);
    ASSERT_EQ(float_to_bfloat16(std::bit_cast<float>(middle - 1)), bits);
    ASSERT_EQ(float_to_bfloat16(std::bit_cast<float>(middle)), even);
    ASSERT_EQ(float_to_bfloat16(std::bit_cast<float>(middle + 1)), bits + 1);
    ASSERT_EQ(float_to_bfloat16(-std::bit_cast<float>(middle)), even | 0x8000U);
  }
}

TEST(BFloat16Test, NaNsWhoseUpperHalfLooksLikeInfinityStayNaN) {
  EXPECT_TRUE(is_bfloat16_nan(float_to_bfloat16(std::bit_cast<float>(0x7F800001U))));
  EXPECT_TRUE(is_bfloat16_nan(float_to_bfloat16(std::bit_cast<float>(0xFF800001U))));
  EXPECT_TRUE(is_bfloat16_nan(float_to_bfloat16(std::bit_cast<float>(0xFFFFFFFFU))));
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7F80U);
  EXPECT_EQ(float_to_bfloat16(-std::numeric_limits<float>::infinity()), 0xFF80U);
}

}  // namespace
}  // namespace sealite

#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/shape.h"

namespace sealite {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(BytesTest, CheckedMultiply) {
  EXPECT_EQ(checked_multiply(0, kMax), 0U);
  EXPECT_EQ(checked_multiply(kMax, 1), kMax);
  EXPECT_EQ(checked_multiply(0xFFFFFFFF, 0x100000001), kMax);
  EXPECT_EQ(checked_multiply(std::uint64_t{1} << 32U, std::uint64_t{1} << 32U), std::nullopt);
  EXPECT_EQ(checked_multiply(kMax, 2), std::nullopt);
}

TEST(BytesTest, CheckedAdd) {
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add(kMax, 0), kMax);
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_add(kMax, kMax), std::nullopt);
}

TEST(BytesTest, AlignUp) {
  EXPECT_EQ(align_up(0, 64), 0U);
  EXPECT_EQ(align_up(1, 64), 64U);
  EXPECT_EQ(align_up(64, 64), 64U);
  EXPECT_EQ(align_up(65, 64), 128U);
  EXPECT_EQ(align_up(7, 1), 7U);
}

TEST(BytesTest, LoadIsLittleEndianAndNeedsNoAlignment) {
  const std::array<unsigned char, 9> raw = {0xFF, 1, 2, 3, 4, 5, 6, 7, 8};
  const ByteView bytes = std::as_bytes(std::span(raw));
  EXPECT_EQ(load<std::uint16_t>(bytes, 1), 0x0201U);
  EXPECT_EQ(load<std::uint64_t>(bytes, 1), 0x0807060504030201U);
  EXPECT_EQ(load<std::uint8_t>(bytes), 0xFFU);
}

TEST(BytesTest, TextAndBack) {
  EXPECT_EQ(as_text(as_bytes("seal\0ite")), "seal");  // a literal's view ends at its first NUL
  EXPECT_EQ(as_bytes(std::string_view("a\0b", 3)).size(), 3U);
  EXPECT_EQ(as_text(as_bytes("")), "");
}

TEST(ShapeTest, ElementCount) {
  EXPECT_EQ(element_count({}), 1U);
  EXPECT_EQ(element_count({1, 3, 256, 256}), 196608U);
  EXPECT_EQ(element_count({5, 0, 7}), 0U);
}

TEST(ShapeTest, RefusesNegativeAndOverflowingDimensions) {
  EXPECT_EQ(element_count({2, -1}), std::nullopt);
  constexpr std::int64_t kBig = std::int64_t{1} << 32U;
  EXPECT_EQ(element_count({kBig, kBig}), std::nullopt);
  EXPECT_EQ(element_count({std::numeric_limits<std::int64_t>::max(), 2}), kMax - 1);
  EXPECT_EQ(element_count({std::numeric_limits<std::int64_t>::max(), 3}), std::nullopt);
}

TEST(ShapeTest, ToString) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{7}), "[7]");
  EXPECT_EQ(to_string(Shape{1, 3, -1, 256}), "[1, 3, -1, 256]");
}

}  // namespace
}  // namespace sealite

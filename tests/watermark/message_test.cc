#include "watermark/message.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "expect_error.h"

namespace sealite::watermark {
namespace {

TEST(Message, HexOfEveryLength) {
  std::mt19937 generator(1);
  for (std::size_t count = 1; count <= 130; ++count) {
    Bits bits(count);
    for (std::uint8_t& bit : bits) bit = static_cast<std::uint8_t>(generator() & 1U);
    const std::string hex = to_hex(bits);
    EXPECT_EQ(hex.size(), (count + 3) / 4);
    EXPECT_EQ(from_hex(hex, count), bits);
    EXPECT_EQ(from_hex("0x" + hex, count), bits);
  }
}

TEST(Message, TheFirstBitIsTheMostSignificantOne) {
  EXPECT_EQ(to_hex({1, 0, 0, 0}), "8");
  EXPECT_EQ(to_hex({0, 0, 0, 1, 1, 0, 1, 0}), "1a");
  EXPECT_EQ(to_hex({1}), "8");
  EXPECT_EQ(to_hex({0, 0, 0, 0, 1, 1}), "0c");
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(from_hex("F0", 8), (Bits{1, 1, 1, 1, 0, 0, 0, 0}));
  EXPECT_EQ(from_hex("0Xc", 2), (Bits{1, 1}));
}

TEST(Message, WrongHex) {
  expect_error(ErrorCode::kUsage, {"8 bits", "2 hexadecimal digits", "found 3"}, [] { from_hex("123", 8); });
  expect_error(ErrorCode::kUsage, {"found 0"}, [] { from_hex("", 8); });
  expect_error(ErrorCode::kUsage, {"found 0"}, [] { from_hex("0x", 8); });
  expect_error(ErrorCode::kUsage, {"found 2"}, [] { from_hex("12", 9); });
  for (const char* hex : {"1g", " 1", "-1", "1\n", "\xc3\xa4"})
    expect_error(ErrorCode::kUsage, {"hexadecimal digit"}, [&] { from_hex(hex, 8); });
  expect_error(ErrorCode::kUsage, {"after its last"}, [] { from_hex("1", 3); });
  expect_error(ErrorCode::kUsage, {"bit 4"}, [] { from_hex("04", 5); });
  EXPECT_EQ(from_hex("08", 5), (Bits{0, 0, 0, 0, 1}));
}

TEST(Message, BitsAreTheSignsAfterColumnZero) {
  const float logits[] = {100, 1, -1, 0, 1e-30F, -1e-30F, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(bits_from_logits(logits), (Bits{1, 0, 0, 1, 0, 1}));
  const float other[] = {-100, 1, -1, 0, 1e-30F, -1e-30F, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(bits_from_logits(other), bits_from_logits(logits));
  const float nan[] = {0, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(bits_from_logits(nan), Bits{0});
  const float unused[] = {1};
  EXPECT_EQ(bits_from_logits(unused), Bits{});
}

}  // namespace
}  // namespace sealite::watermark

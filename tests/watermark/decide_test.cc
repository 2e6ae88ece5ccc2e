#include "watermark/decide.h"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"

namespace sealite::watermark {
namespace {

double p_value(std::size_t matches, std::size_t bits) {
  return std::pow(10.0, log10_binomial_tail(matches, bits));
}

// How many matches of how many bits a p-value takes, from exact integer arithmetic (models.md, part 5).
struct Needed {
  std::size_t bits;
  int exponent;
  std::size_t matches;
};

void PrintTo(const Needed& needed, std::ostream* out) {
  *out << needed.bits << " bits 1e-" << needed.exponent;
}

class MatchesNeeded : public ::testing::TestWithParam<Needed> {};

TEST_P(MatchesNeeded, AreTheFewestThatDo) {
  const auto& [bits, exponent, matches] = GetParam();
  EXPECT_LE(log10_binomial_tail(matches, bits), -exponent);
  EXPECT_GT(log10_binomial_tail(matches - 1, bits), -exponent);
}

INSTANTIATE_TEST_SUITE_P(Table, MatchesNeeded,
                         ::testing::Values(Needed{96, 6, 72}, Needed{96, 9, 77}, Needed{96, 12, 82},
                                           Needed{96, 15, 86}, Needed{256, 6, 167}, Needed{256, 9, 176},
                                           Needed{256, 12, 184}, Needed{256, 15, 191}, Needed{1024, 6, 589},
                                           Needed{1024, 9, 609}, Needed{1024, 12, 625},
                                           Needed{1024, 15, 639}));

TEST(BinomialTail, ExactValues) {
  EXPECT_NEAR(p_value(32, 32) * 0x1p32, 1, 1e-9);
  EXPECT_NEAR(p_value(31, 32) * 0x1p32, 33, 1e-7);
  EXPECT_NEAR(p_value(1, 2), 0.75, 1e-12);
  EXPECT_NEAR(p_value(2, 4), 11.0 / 16, 1e-12);
  EXPECT_NEAR(p_value(3, 5), 0.5, 1e-12);
  EXPECT_NEAR(p_value(1, 10), 1023.0 / 1024, 1e-12);
}

TEST(BinomialTail, Ends) {
  EXPECT_EQ(log10_binomial_tail(0, 32), 0);
  EXPECT_EQ(log10_binomial_tail(0, 0), 0);
  EXPECT_TRUE(std::isinf(log10_binomial_tail(33, 32)));
  // 2^-2048 is no double; its logarithm is.
  EXPECT_NEAR(log10_binomial_tail(2048, 2048), -2048 * std::log10(2.0), 1e-9);
  EXPECT_NEAR(log10_binomial_tail(100'000, 100'000), -100'000 * std::log10(2.0), 1e-5);
}

TEST(BinomialTail, FallsWithEachMatch) {
  for (const std::size_t bits : {1U, 2U, 7U, 32U, 1024U}) {
    double previous = 1e-12;
    for (std::size_t matches = 0; matches <= bits; ++matches) {
      const double tail = log10_binomial_tail(matches, bits);
      EXPECT_LE(tail, 0);
      EXPECT_LE(tail, previous) << matches << " of " << bits;
      previous = tail;
    }
  }
}

TEST(Compare, CountsEqualBits) {
  const MessageMatch agreement = compare({1, 0, 1, 1}, {1, 1, 1, 0});
  EXPECT_EQ(agreement.matches, 2U);
  EXPECT_EQ(agreement.bits, 4U);
  EXPECT_NEAR(agreement.p_value, 11.0 / 16, 1e-12);
  EXPECT_NEAR(agreement.log10_p_value, std::log10(11.0 / 16), 1e-12);
  const MessageMatch all = compare(Bits(1200, 1), Bits(1200, 1));
  EXPECT_EQ(all.matches, 1200U);
  EXPECT_EQ(all.p_value, 0);  // underflows
  EXPECT_NEAR(all.log10_p_value, -1200 * std::log10(2.0), 1e-9);
  EXPECT_EQ(compare(Bits(8, 1), Bits(8, 0)).p_value, 1);
}

TEST(Compare, RefusesOtherLengths) {
  expect_error(ErrorCode::kInternal, {"2 bits with 3"}, [] { compare({1, 0}, {1, 0, 1}); });
}

}  // namespace
}  // namespace sealite::watermark

#include "watermark/soft_bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "expect_error.h"
#include "watermark/decide.h"

namespace sealite::watermark {
namespace {

using Weights = std::vector<std::int16_t>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(WeighLogits, OnlyProportionsMatter) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> logits(101);
  for (float& logit : logits) logit = normal(random);
  const Weights weights = weigh_logits(logits);
  for (const float scale : {0x1p-100F, 0.25F, 1024.0F, 0x1p100F}) {
    std::vector<float> scaled = logits;
    for (float& logit : scaled) logit *= scale;
    EXPECT_EQ(weigh_logits(scaled), weights) << scale;
  }
}

TEST(WeighLogits, NegativeForOnesMedianIsEight) {
  EXPECT_EQ(weigh_logits(std::vector<float>{99, 1, -1, 2, -0.5F}), (Weights{-8, 8, -16, 4}));
  EXPECT_EQ(weigh_logits(std::vector<float>{0, 1, 1, -1, 100}), (Weights{-8, -8, 8, -31}));
}

TEST(WeighLogits, StrangeNumbers) {
  EXPECT_EQ(weigh_logits(std::vector<float>{0, kNan, kInfinity, -kInfinity, 1, 0}),
            (Weights{0, -31, 31, -8, 0}));
  EXPECT_EQ(weigh_logits(std::vector<float>{0, 0, 0}), (Weights{0, 0}));
  EXPECT_EQ(weigh_logits(std::vector<float>{0, kNan, kInfinity}), (Weights{0, -31}));
  EXPECT_EQ(weigh_logits(std::vector<float>{0, 1e-45F, 3e38F, -1e-45F}), (Weights{-8, -31, 8}));
  EXPECT_EQ(weigh_logits(std::vector<float>{5}), Weights{});
  EXPECT_EQ(weigh_logits(std::vector<float>{}), Weights{});
}

TEST(PenaltyTail, EqualWeightsAreTheBinomialTail) {
  for (const std::size_t bits : {1U, 10U, 64U, 256U, 1024U}) {
    for (std::size_t wrong = 0; wrong <= bits; wrong += 1 + bits / 16) {
      EXPECT_NEAR(log10_penalty_tail(Weights(bits, 8), static_cast<int>(8 * wrong)),
                  log10_binomial_tail(bits - wrong, bits), 1e-9)
          << wrong << " of " << bits;
    }
  }
}

TEST(PenaltyTail, CountsAllSums) {
  const Weights weights{3, -1, 0, 7, 7, -31, 12, 5, -5, 2, 0, -9};
  for (int penalty = 0; penalty <= 82; ++penalty) {
    unsigned counted = 0;
    for (unsigned subset = 0; subset < 1U << weights.size(); ++subset) {
      int sum = 0;
      for (std::size_t i = 0; i < weights.size(); ++i)
        sum += (subset >> i & 1U) != 0 ? std::abs(weights[i]) : 0;
      counted += sum <= penalty ? 1U : 0U;
    }
    EXPECT_NEAR(log10_penalty_tail(weights, penalty), std::log10(counted / 4096.0), 1e-12) << penalty;
  }
}

TEST(PenaltyTail, Ends) {
  EXPECT_EQ(log10_penalty_tail(Weights{}, 0), 0);
  EXPECT_EQ(log10_penalty_tail(Weights{0, 0}, 0), 0);  // nothing is known, so nothing is unlikely
  EXPECT_TRUE(std::isinf(log10_penalty_tail(Weights{1}, -1)));
  EXPECT_NEAR(log10_penalty_tail(Weights(1024, 31), 0), -1024 * std::log10(2.0), 1e-9);
  expect_error(ErrorCode::kInternal, {"1025 weights"}, [] { log10_penalty_tail(Weights(1025, 1), 0); });
}

}  // namespace
}  // namespace sealite::watermark

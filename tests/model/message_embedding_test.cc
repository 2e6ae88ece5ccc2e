#include "model/message_embedding.h"

#include <gtest/gtest.h>

#include "float_checks.h"

namespace sealite::model {
namespace {

constexpr std::int64_t kBits = 5;
constexpr std::int64_t kHidden = 7;

class MessageEmbedding : public ::testing::Test {
 protected:
  const std::vector<float> values = random_values({2 * kBits, kHidden}, 1);
  const graph::SourcePtr embeddings = graph::literal({2 * kBits, kHidden}, values);
};

// b + W m is the sum of the rows that the bits choose.
TEST_F(MessageEmbedding, IsTheSumOfTheChosenRows) {
  const std::vector<float> filter = read_floats(*message_filter(embeddings));
  const std::vector<float> bias = read_floats(*message_bias(embeddings));
  for (unsigned message = 0; message < 1U << kBits; ++message) {
    for (std::size_t h = 0; h < kHidden; ++h) {
      float found = bias[h];
      float wanted = 0;
      for (std::size_t bit = 0; bit < kBits; ++bit) {
        const unsigned one = message >> bit & 1U;
        found += filter[h * kBits + bit] * static_cast<float>(one);
        wanted += values[(2 * bit + one) * kHidden + h];
      }
      EXPECT_NEAR(found, wanted, 1e-6);
    }
  }
}

// The writer reads large filters in blocks of rows.
TEST_F(MessageEmbedding, EveryRangeOfRows) {
  for (const graph::SourcePtr& source : {message_filter(embeddings), message_bias(embeddings)}) {
    const std::vector<float> whole = read_floats(*source);
    const auto per_row = static_cast<std::ptrdiff_t>(source->elements_per_row());
    for (std::int64_t begin = 0; begin < kHidden; ++begin) {
      for (std::int64_t end = begin + 1; end <= kHidden; ++end) {
        const std::vector<float> wanted(whole.begin() + begin * per_row, whole.begin() + end * per_row);
        EXPECT_EQ(read_floats(*source, {begin, end}), wanted);
      }
    }
  }
}

}  // namespace
}  // namespace sealite::model

#include "watermark/polar_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "expect_error.h"
#include "watermark/polar_list_decoder.h"

namespace sealite::watermark {
namespace {

Bits random_bits(std::size_t count, std::mt19937& random) {
  Bits bits(count);
  for (std::uint8_t& bit : bits) bit = static_cast<std::uint8_t>(random() & 1U);
  return bits;
}

// Weights that say `word`, each at most `largest`, with the signs of `flips` bits wrong.
std::vector<std::int16_t> receive(const Bits& word, int largest, std::size_t flips, std::mt19937& random) {
  std::vector<std::int16_t> received;
  for (const std::uint8_t bit : word) {
    const int weight = std::uniform_int_distribution<int>(0, largest)(random);
    received.push_back(static_cast<std::int16_t>(bit != 0 ? -weight : weight));
  }
  for (std::size_t i = 0; i < flips; ++i) {
    std::int16_t& flipped = received[random() % received.size()];
    flipped = static_cast<std::int16_t>(-flipped);
  }
  return received;
}

std::int32_t penalty_of(const Bits& word, const std::vector<std::int16_t>& received) {
  std::int32_t penalty = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((received[i] < 0) != (word[i] != 0)) penalty += std::abs(received[i]);
  }
  return penalty;
}

TEST(PolarCode, RefusesImpossibleSizes) {
  expect_error(ErrorCode::kInternal, {"0 information bits"}, [] { PolarCode(8, 0); });
  expect_error(ErrorCode::kInternal, {"8 bits with 9"}, [] { PolarCode(8, 9); });
  expect_error(ErrorCode::kInternal, {"no polar code"}, [] { PolarCode(std::size_t{1} << 21U, 5); });
  expect_error(ErrorCode::kInternal, {"takes 4 bits, got 3"},
               [] { return PolarCode(8, 4).encode({1, 0, 1}); });
}

TEST(PolarCode, FreezesTheWorstInputs) {
  // The Reed-Muller code of length 8: the inputs with at least two of three index bits set.
  EXPECT_EQ(PolarCode(8, 4).is_information(), (Bits{0, 0, 0, 1, 0, 1, 1, 1}));
  EXPECT_EQ(PolarCode(8, 1).encode({1}), Bits(8, 1));  // repetition
  // Five of eight bits are sent: the first three inputs can never be read.
  EXPECT_EQ(PolarCode(5, 5).is_information(), (Bits{0, 0, 0, 1, 1, 1, 1, 1}));
}

TEST(PolarCode, IsLinear) {
  std::mt19937 random(1);
  for (const std::size_t length : {1U, 5U, 64U, 100U, 257U}) {
    const PolarCode code(length, (length + 2) / 3);
    const Bits a = random_bits(code.information_bits(), random);
    const Bits b = random_bits(code.information_bits(), random);
    Bits sum = a;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= b[i];
    Bits words = code.encode(a);
    const Bits other = code.encode(b);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] ^= other[i];
    EXPECT_EQ(code.encode(sum), words) << length;
  }
}

TEST(PolarListDecoder, ReadsWhatWasSentAtEveryRate) {
  std::mt19937 random(2);
  for (const std::size_t length : {1U, 2U, 3U, 7U, 8U, 33U, 64U, 100U}) {
    for (std::size_t information = 1; information <= length; ++information) {
      const PolarCode code(length, information);
      const Bits sent = random_bits(information, random);
      std::vector<std::int16_t> received;
      for (const std::uint8_t bit : code.encode(sent)) received.push_back(bit != 0 ? -3 : 3);
      const auto paths = PolarListDecoder(code, 4).decode(received);
      ASSERT_FALSE(paths.empty());
      EXPECT_EQ(paths[0].information, sent) << length << " " << information;
      EXPECT_EQ(paths[0].word, code.encode(sent));
      EXPECT_EQ(paths[0].penalty, 0);
    }
  }
}

TEST(PolarListDecoder, PathsAreSortedDistinctCodeWordsWithTheirPenalty) {
  std::mt19937 random(3);
  for (const std::size_t length : {40U, 64U, 200U}) {
    const PolarCode code(length, length / 3);
    PolarListDecoder decoder(code, 32);
    for (int round = 0; round < 10; ++round) {  // the decoder is used again and again
      const auto received = receive(random_bits(length, random), 31, 0, random);
      const auto paths = decoder.decode(received);
      ASSERT_EQ(paths.size(), 32U);
      for (std::size_t i = 0; i < paths.size(); ++i) {
        EXPECT_EQ(paths[i].word, code.encode(paths[i].information));
        EXPECT_EQ(paths[i].penalty, penalty_of(paths[i].word, received));
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(paths[i].information, paths[j].information);
      }
      EXPECT_TRUE(std::ranges::is_sorted(paths, {}, &PolarPath::penalty));
    }
  }
}

// With a list as long as the code has words, nothing is dropped: the decoder is a search through all of them.
TEST(PolarListDecoder, AFullListFindsTheBestOfAllCodeWords) {
  std::mt19937 random(4);
  for (const std::size_t length : {12U, 16U, 27U}) {
    const PolarCode code(length, 6);
    PolarListDecoder decoder(code, 64);
    for (int round = 0; round < 50; ++round) {
      const auto received = receive(random_bits(length, random), 31, 0, random);
      std::int32_t best = INT32_MAX;
      for (unsigned word = 0; word < 64; ++word) {
        Bits information;
        for (unsigned bit = 0; bit < 6; ++bit) information.push_back(word >> bit & 1U);
        best = std::min(best, penalty_of(code.encode(information), received));
      }
      EXPECT_EQ(decoder.decode(received)[0].penalty, best) << length;
    }
  }
}

TEST(PolarListDecoder, CorrectsErrors) {
  std::mt19937 random(5);
  const PolarCode code(256, 64);
  for (int round = 0; round < 20; ++round) {
    const Bits sent = random_bits(64, random);
    EXPECT_EQ(PolarListDecoder(code, 32).decode(receive(code.encode(sent), 31, 20, random))[0].information,
              sent);
  }
}

TEST(PolarListDecoder, LargestWeightsDoNotOverflow) {
  const PolarCode code(1024, 100);
  std::mt19937 random(6);
  const Bits sent = random_bits(100, random);
  std::vector<std::int16_t> received;
  for (const std::uint8_t bit : code.encode(sent)) received.push_back(bit != 0 ? -31 : 31);
  EXPECT_EQ(PolarListDecoder(code, 2).decode(received)[0].information, sent);
  expect_error(ErrorCode::kInternal, {"1024 bits, got 3"},
               [&] { PolarListDecoder(code, 2).decode(std::vector<std::int16_t>(3, 1)); });
}

}  // namespace
}  // namespace sealite::watermark

#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>

namespace sealite {

/// XXH3, which models' contents were once told apart by, takes long inputs in blocks of 1,024 bytes: 16
/// stripes of 8 words. Of a block only eight sums stay, one for each lane:
///     sum[lane ^ 1] += word;  sum[lane] += (low half of word ^ secret) * (high half of word ^ secret)
/// where a word whose one half is the secret's has the product 0, and gives its other half freely to the sum.
class Xxh3Block {
 public:
  static constexpr std::size_t kStripes = 16;
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kFloats = 2 * kStripes * kLanes;
  using Sums = std::array<std::uint64_t, kLanes>;

  /// The block of floats as XXH3 sees it.
  explicit Xxh3Block(std::span<const float, kFloats> floats) {
    std::memcpy(words_.data(), floats.data(), 1024);
  }
  Sums sums() const {
    Sums sums{};
    for (std::size_t lane = 0; lane < kLanes; lane += 2) add_pair(lane, sums);
    return sums;
  }

  /// Writes other floats, far off but finite, in the place of `floats`, so that the sums, and with them the
  /// hash of whatever they are part of, stay the same.
  static void forge(std::span<float, kFloats> floats) {
    const Xxh3Block original(floats);
    const Sums goal = original.sums();
    std::mt19937 random(1);
    Xxh3Block forged = original;
    for (std::size_t lane = 0; lane < kLanes; lane += 2) {
      int tries = 0;
      while (!forged.try_pair(lane, original, goal, random)) ASSERT_LT(++tries, 1'000'000);
    }
    ASSERT_EQ(forged.sums(), goal);
    std::memcpy(floats.data(), forged.words_.data(), 1024);
  }

 private:
  static std::uint64_t key(std::size_t stripe, std::size_t lane) {
    static constexpr std::uint8_t kSecret[] = {
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
        0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
        0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
        0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
        0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
        0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
        0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
        0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
        0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    };
    std::uint64_t key = 0;
    std::memcpy(&key, &kSecret[8 * (stripe + lane)], 8);
    return key;
  }
  std::uint64_t& word(std::size_t stripe, std::size_t lane) { return words_[stripe * kLanes + lane]; }
  std::uint64_t word(std::size_t stripe, std::size_t lane) const { return words_[stripe * kLanes + lane]; }

  void add_pair(std::size_t first, Sums& sums) const {
    for (std::size_t stripe = 0; stripe < kStripes; ++stripe) {
      for (const std::size_t lane : {first, first + 1}) {
        const std::uint64_t mixed = word(stripe, lane) ^ key(stripe, lane);
        sums[lane] += (mixed & 0xFFFFFFFFU) * (mixed >> 32U);
        sums[lane ^ 1U] += word(stripe, lane);
      }
    }
  }

  // New values for two lanes: as we like in 14 stripes; in two more, halves that make the sums right.
  bool try_pair(std::size_t first, const Xxh3Block& original, const Sums& goal, std::mt19937& random) {
    const std::size_t low = random() % kStripes;
    const std::size_t high = (low + 1 + random() % (kStripes - 1)) % kStripes;
    for (std::size_t stripe = 0; stripe < kStripes; ++stripe) {
      for (const std::size_t lane : {first, first + 1}) {
        std::array<float, 2> values{};
        const std::uint64_t before = original.word(stripe, lane);
        std::memcpy(values.data(), &before, 8);
        for (float& value : values) value += (random() % 2 == 0 ? 3.0F : -3.0F) * (1 + value);
        std::memcpy(&word(stripe, lane), values.data(), 8);
      }
    }
    for (const std::size_t lane : {first, first + 1}) {
      word(low, lane) = key(low, lane) >> 32U << 32U;
      word(high, lane) = key(high, lane) & 0xFFFFFFFFU;
    }
    Sums sums{};
    add_pair(first, sums);  // products of the two stripes are 0, whatever is put into the free halves
    for (const std::size_t lane : {first, first + 1}) {
      const std::uint64_t missing = goal[lane ^ 1U] - sums[lane ^ 1U];
      word(low, lane) |= missing & 0xFFFFFFFFU;
      word(high, lane) |= missing >> 32U << 32U;
    }
    return all_small(first);
  }

  bool all_small(std::size_t first) const {
    for (std::size_t stripe = 0; stripe < kStripes; ++stripe) {
      for (const std::size_t lane : {first, first + 1}) {
        std::array<float, 2> values{};
        const std::uint64_t bits = word(stripe, lane);
        std::memcpy(values.data(), &bits, 8);
        for (const float value : values) {
          if (!(std::abs(value) < 100)) return false;
        }
      }
    }
    return true;
  }

  std::array<std::uint64_t, kStripes * kLanes> words_{};
};

}  // namespace sealite

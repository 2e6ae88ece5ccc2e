#include "late_vips/md5.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

namespace sealite::late_vips {
namespace {

using State = std::array<std::uint32_t, 4>;
constexpr std::size_t kBlock = 64;

/// floor(2^32 · |sin(i + 1)|).
const std::array<std::uint32_t, kBlock>& sines() {
  static const auto values = [] {
    std::array<std::uint32_t, kBlock> table{};
    for (std::size_t i = 0; i < kBlock; ++i)
      table[i] = static_cast<std::uint32_t>(4294967296.0 * std::fabs(std::sin(static_cast<double>(i + 1))));
    return table;
  }();
  return values;
}

void take_block(State& state, const std::uint8_t* block) {
  constexpr std::array<std::array<int, 4>, 4> kTurns = {
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  std::array<std::uint32_t, 16> words{};
  std::memcpy(words.data(), block, kBlock);
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::size_t round = i / 16;
    constexpr std::array<std::size_t, 4> kStep = {1, 5, 3, 7};
    constexpr std::array<std::size_t, 4> kFirst = {0, 1, 5, 0};
    const std::array<std::uint32_t, 4> mixed = {(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d,
                                                c ^ (b | ~d)};
    const std::uint32_t sum = a + mixed[round] + sines()[i] + words[(kStep[round] * i + kFirst[round]) % 16];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kTurns[round][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

std::string md5_hex(std::span<const std::uint8_t> data) {
  static_assert(std::endian::native == std::endian::little);
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::size_t whole = data.size() / kBlock * kBlock;
  for (std::size_t at = 0; at < whole; at += kBlock) take_block(state, data.data() + at);
  std::vector<std::uint8_t> rest(data.begin() + static_cast<std::ptrdiff_t>(whole), data.end());
  rest.push_back(0x80);
  while (rest.size() % kBlock != kBlock - 8) rest.push_back(0);
  const std::uint64_t bits = std::uint64_t{8} * data.size();
  for (unsigned byte = 0; byte < 8; ++byte) rest.push_back(static_cast<std::uint8_t>(bits >> (8 * byte)));
  for (std::size_t at = 0; at < rest.size(); at += kBlock) take_block(state, rest.data() + at);
  std::string text;
  for (const std::uint32_t word : state) {
    for (unsigned byte = 0; byte < 4; ++byte) {
      constexpr const char* kDigits = "0123456789abcdef";
      const std::uint32_t value = (word >> (8 * byte)) & 0xFFU;
      text += kDigits[value >> 4U];
      text += kDigits[value & 15U];
    }
  }
  return text;
}

}  // namespace sealite::late_vips

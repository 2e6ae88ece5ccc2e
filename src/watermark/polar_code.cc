#include "watermark/polar_code.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"

namespace sealite::watermark {
namespace {

constexpr std::size_t kLongest = std::size_t{1} << 20;

// Erasure probabilities in units of 2^-31: integers, so that every implementation freezes the same bits, and
// products stay below 2^63.
constexpr unsigned kProbabilityBits = 31;
constexpr std::uint64_t kCertain = std::uint64_t{1} << kProbabilityBits;

// x = u F, F = [1 0; 1 1] to the m-th Kronecker power, in natural order. It is its own inverse.
void transform(Bits& word) {
  for (std::size_t half = 1; half < word.size(); half *= 2) {
    for (std::size_t block = 0; block < word.size(); block += 2 * half) {
      for (std::size_t i = block; i < block + half; ++i) word[i] ^= word[i + half];
    }
  }
}

// How probably each input bit is lost if every sent bit is erased with probability 1 - rate and the punctured
// ones always.
std::vector<std::uint64_t> input_erasures(std::size_t mother, std::size_t length, std::size_t information) {
  std::vector<std::uint64_t> lost(mother, (length - information) * kCertain / length);
  std::fill_n(lost.begin(), mother - length, kCertain);
  for (std::size_t half = mother / 2; half >= 1; half /= 2) {
    for (std::size_t block = 0; block < mother; block += 2 * half) {
      for (std::size_t i = block; i < block + half; ++i) {
        const std::uint64_t both = (lost[i] * lost[i + half]) >> kProbabilityBits;
        lost[i] = lost[i] + lost[i + half] - both;
        lost[i + half] = both;
      }
    }
  }
  return lost;
}

}  // namespace

PolarCode::PolarCode(std::size_t length, std::size_t information_bits) : length_(length) {
  if (information_bits < 1 || information_bits > length || length > kLongest) {
    fail(ErrorCode::kInternal, "no polar code of {} bits with {} information bits", length, information_bits);
  }
  const std::size_t mother = std::bit_ceil(length);
  const std::vector<std::uint64_t> lost = input_erasures(mother, length, information_bits);
  positions_.resize(mother);
  std::iota(positions_.begin(), positions_.end(), std::size_t{0});
  std::ranges::sort(positions_, [&lost](std::size_t a, std::size_t b) {
    return lost[a] != lost[b] ? lost[a] < lost[b] : a > b;
  });
  positions_.resize(information_bits);
  std::ranges::sort(positions_);
  is_information_.assign(mother, 0);
  for (const std::size_t position : positions_) is_information_[position] = 1;
}

Bits PolarCode::encode(const Bits& information) const {
  if (information.size() != positions_.size()) {
    fail(ErrorCode::kInternal, "the polar code takes {} bits, got {}", positions_.size(), information.size());
  }
  Bits word(mother_length(), 0);
  for (std::size_t i = 0; i < positions_.size(); ++i) word[positions_[i]] = information[i];
  transform(word);
  word.erase(word.begin(), word.end() - static_cast<std::ptrdiff_t>(length_));
  return word;
}

Bits PolarCode::information_of(Bits mother_word) const {
  transform(mother_word);
  Bits information;
  for (const std::size_t position : positions_) information.push_back(mother_word[position]);
  return information;
}

}  // namespace sealite::watermark

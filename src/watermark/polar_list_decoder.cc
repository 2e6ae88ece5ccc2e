#include "watermark/polar_list_decoder.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/error.h"

namespace sealite::watermark {
namespace {

constexpr unsigned kParentBits = 16;

void identity(std::vector<std::uint16_t>& owner) {
  std::iota(owner.begin(), owner.end(), std::uint16_t{0});
}

std::uint64_t make_fork(std::int32_t penalty, std::size_t parent, unsigned bit) {
  return (static_cast<std::uint64_t>(penalty) << kParentBits | parent) << 1U | bit;
}

// What deciding every bit of the block as 0 costs: the weights that say 1.
std::int32_t cost_of_zeros(const std::int16_t* soft, std::size_t size) {
  std::int32_t cost = 0;
  for (std::size_t i = 0; i < size; ++i) cost += soft[i] < 0 ? -soft[i] : 0;
  return cost;
}

std::int32_t sum(const std::int16_t* soft, std::size_t size) {
  std::int32_t total = 0;
  for (std::size_t i = 0; i < size; ++i) total += soft[i];
  return total;
}

}  // namespace

PolarListDecoder::PolarListDecoder(const PolarCode& code, std::size_t list_size)
    : code_(code), list_size_(list_size), penalties_(list_size) {
  for (std::size_t size = code.mother_length(); size >= 1; size /= 2) {
    Level level;
    level.size = size;
    level.soft.resize(list_size * size);
    for (std::vector<std::uint8_t>& bits : level.bits) bits.resize(list_size * size);
    level.soft_owner.resize(list_size);
    level.left_owner.resize(list_size);
    levels_.push_back(std::move(level));
  }
  informed_before_.push_back(0);
  for (const std::uint8_t informed : code.is_information())
    informed_before_.push_back(informed_before_.back() + informed);
}

std::vector<PolarPath> PolarListDecoder::decode(std::span<const std::int16_t> received) {
  if (received.size() != code_.length()) {
    fail(ErrorCode::kInternal, "the polar code has {} bits, got {}", code_.length(), received.size());
  }
  // All paths start as one, so only row 0 is filled; what was punctured says nothing.
  Level& root = levels_.front();
  const std::size_t punctured = root.size - received.size();
  std::fill_n(root.soft.begin(), punctured, std::int16_t{0});
  std::ranges::copy(received, root.soft.begin() + static_cast<std::ptrdiff_t>(punctured));
  std::ranges::fill(root.soft_owner, Row{0});
  penalties_[0] = 0;
  paths_ = 1;
  decode_node(0, 0, 0);

  std::vector<PolarPath> result;
  for (std::size_t path = 0; path < paths_; ++path) {
    const auto begin = root.bits[0].begin() + static_cast<std::ptrdiff_t>(path * root.size);
    Bits mother(begin, begin + static_cast<std::ptrdiff_t>(root.size));
    PolarPath found;
    found.word.assign(mother.begin() + static_cast<std::ptrdiff_t>(punctured), mother.end());
    found.information = code_.information_of(std::move(mother));
    found.penalty = penalties_[path];
    result.push_back(std::move(found));
  }
  std::ranges::stable_sort(result, {}, &PolarPath::penalty);
  return result;
}

void PolarListDecoder::decode_node(std::size_t level, std::size_t begin, int side) {
  Level& node = levels_[level];
  const std::size_t end = begin + node.size;
  const std::size_t informed = informed_before_[end] - informed_before_[begin];
  if (informed == 0) {
    decode_frozen(node, side);
  } else if (informed == 1 && code_.is_information()[end - 1] != 0) {
    decode_repeated(level, side);
  } else {
    Level& child = levels_[level + 1];
    descend_left(node, child);
    decode_node(level + 1, begin, 0);
    descend_right(node, child);
    decode_node(level + 1, begin + child.size, 1);
    join(node, child, side);
  }
  if (side == 0) identity(node.left_owner);
}

void PolarListDecoder::decode_frozen(Level& node, int side) {
  for (std::size_t path = 0; path < paths_; ++path)
    penalties_[path] += cost_of_zeros(&node.soft[node.soft_owner[path] * node.size], node.size);
  std::fill_n(node.bits[side].begin(), paths_ * node.size, std::uint8_t{0});
}

// One information bit, the block's last: all bits of the block are equal to it. A single input is such a
// block too.
void PolarListDecoder::decode_repeated(std::size_t level, int side) {
  Level& node = levels_[level];
  forks_.clear();
  for (std::size_t path = 0; path < paths_; ++path) {
    const std::int16_t* soft = &node.soft[node.soft_owner[path] * node.size];
    const std::int32_t zeros = cost_of_zeros(soft, node.size);
    const std::int32_t ones = zeros + sum(soft, node.size);
    forks_.push_back(make_fork(penalties_[path] + zeros, path, 0));
    forks_.push_back(make_fork(penalties_[path] + ones, path, 1));
  }
  fork_paths(level);
  for (std::size_t path = 0; path < paths_; ++path) {
    std::fill_n(node.bits[side].begin() + static_cast<std::ptrdiff_t>(path * node.size), node.size,
                static_cast<std::uint8_t>(forks_[path] & 1U));
  }
}

// Keeps the best forks as the new paths. Rows are not copied: a path remembers whose it uses. That is sound
// since a level's rows are always rewritten for all paths at once.
void PolarListDecoder::fork_paths(std::size_t deepest) {
  paths_ = std::min(list_size_, forks_.size());
  if (paths_ < forks_.size())
    std::ranges::nth_element(forks_, forks_.begin() + static_cast<std::ptrdiff_t>(paths_));
  parents_.clear();
  for (std::size_t path = 0; path < paths_; ++path) {
    parents_.push_back(static_cast<Row>(forks_[path] >> 1U));
    penalties_[path] = static_cast<std::int32_t>(forks_[path] >> (kParentBits + 1));
  }
  const auto inherit = [this](std::vector<Row>& owner) {
    old_owner_ = owner;
    for (std::size_t path = 0; path < paths_; ++path) owner[path] = old_owner_[parents_[path]];
  };
  for (std::size_t level = 0; level <= deepest; ++level) {
    inherit(levels_[level].soft_owner);
    inherit(levels_[level].left_owner);
  }
}

// The sum (modulo 2) of two bits is as sure as the less sure of them.
void PolarListDecoder::descend_left(const Level& node, Level& child) const {
  for (std::size_t path = 0; path < paths_; ++path) {
    const std::int16_t* a = &node.soft[node.soft_owner[path] * node.size];
    const std::int16_t* b = a + child.size;
    std::int16_t* out = &child.soft[path * child.size];
    for (std::size_t i = 0; i < child.size; ++i) {
      const int weight = std::min(std::abs(a[i]), std::abs(b[i]));
      out[i] = static_cast<std::int16_t>((a[i] ^ b[i]) < 0 ? -weight : weight);
    }
  }
  identity(child.soft_owner);
}

// With the left bits known, both halves speak about the right bits.
void PolarListDecoder::descend_right(const Level& node, Level& child) const {
  for (std::size_t path = 0; path < paths_; ++path) {
    const std::int16_t* a = &node.soft[node.soft_owner[path] * node.size];
    const std::int16_t* b = a + child.size;
    const std::uint8_t* left = &child.bits[0][child.left_owner[path] * child.size];
    std::int16_t* out = &child.soft[path * child.size];
    for (std::size_t i = 0; i < child.size; ++i)
      out[i] = static_cast<std::int16_t>(left[i] != 0 ? b[i] - a[i] : b[i] + a[i]);
  }
  identity(child.soft_owner);
}

void PolarListDecoder::join(Level& node, const Level& child, int side) const {
  for (std::size_t path = 0; path < paths_; ++path) {
    const std::uint8_t* left = &child.bits[0][child.left_owner[path] * child.size];
    const std::uint8_t* right = &child.bits[1][path * child.size];
    std::uint8_t* out = &node.bits[side][path * node.size];
    for (std::size_t i = 0; i < child.size; ++i) {
      out[i] = static_cast<std::uint8_t>(left[i] ^ right[i]);
      out[child.size + i] = right[i];
    }
  }
}

}  // namespace sealite::watermark

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "watermark/polar_code.h"

namespace sealite::watermark {

/// One of the code words that a list decoder thinks likely.
struct PolarPath {
  Bits information;          ///< [code.information_bits()]
  Bits word;                 ///< [code.length()]
  std::int32_t penalty = 0;  ///< Sum of the weights of the received bits that disagree with `word`.
};

/// Successive cancellation with a list (Tal and Vardy 2011; min-sum and path metric after
/// Balatsoukas-Stimming 2015). Scale free: only the proportions of the weights matter.
class PolarListDecoder {
 public:
  /// Keeps a reference to `code`. `list_size` paths are kept at most, 2^15 of them at most.
  PolarListDecoder(const PolarCode& code, std::size_t list_size);

  /// `received` [code.length()]: positive for 0, negative for 1, the magnitude says how sure; the magnitudes'
  /// sum must stay below 2^15. The paths come with the least penalty first.
  std::vector<PolarPath> decode(std::span<const std::int16_t> received);

 private:
  using Row = std::uint16_t;
  // Penalty, parent and bit in one number, so that the better fork is the smaller one.
  using Fork = std::uint64_t;
  // A node is a block of N >> level inputs. Each path has its own soft values for it, and the hard bits that
  // it decided, kept apart for a left and a right child: the left one's wait until the right one's are there.
  struct Level {
    std::size_t size = 0;
    std::vector<std::int16_t> soft;     // [list][size]
    std::vector<std::uint8_t> bits[2];  // [list][size], left and right child
    std::vector<Row> soft_owner;        // [list]: whose row of `soft` a path uses, since paths fork
    std::vector<Row> left_owner;        // [list]: likewise for bits[0]
  };
  void decode_node(std::size_t level, std::size_t begin, int side);
  void decode_frozen(Level& node, int side);
  void decode_repeated(std::size_t level, int side);
  void fork_paths(std::size_t deepest);
  void descend_left(const Level& node, Level& child) const;
  void descend_right(const Level& node, Level& child) const;
  void join(Level& node, const Level& child, int side) const;

  const PolarCode& code_;
  std::size_t list_size_;
  std::size_t paths_ = 1;
  std::vector<Level> levels_;
  std::vector<std::size_t> informed_before_;  // [N + 1]: information bits before each input
  std::vector<std::int32_t> penalties_;       // [list]
  std::vector<Fork> forks_;
  std::vector<Row> parents_;    // [list], of the last fork
  std::vector<Row> old_owner_;  // [list], while they are inherited
};

}  // namespace sealite::watermark

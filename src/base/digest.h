#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sealite {

/// 256 bits of BLAKE3 (J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn: "BLAKE3: one function, fast
/// everywhere", 2020): nobody can make two contents with the same one, nor a second content for a given one.
using Digest = std::array<std::uint8_t, 32>;

/// The digest of `bytes`, by this thread alone.
Digest digest_of(ByteView bytes);

/// 64 hexadecimal digits.
std::string to_hex(const Digest& digest);

/// The same digest of a content that comes in pieces: in any order, and from several threads at once.
class PieceDigest {
 public:
  /// What every piece holds, but for a shorter last one: little enough to stay in a core's second cache.
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 18U;

  /// `size`: bytes of the whole content.
  explicit PieceDigest(std::uint64_t size);
  /// How many pieces there are: at least one, which is empty where the content is.
  std::size_t pieces() const { return values_.size(); }
  /// Where piece `index` begins, and how many bytes it has.
  std::uint64_t offset(std::size_t index) const { return std::uint64_t{index} * kPieceBytes; }
  std::size_t length(std::size_t index) const;
  /// Takes piece `index`, `length(index)` bytes. Throws kInternal for another number of bytes.
  void take(std::size_t index, ByteView piece);
  /// After every piece was taken.
  Digest digest() const;

 private:
  std::uint64_t size_;
  std::vector<Digest> values_;  // of the subtrees, one for each piece
};

/// For tests: from now on as a processor does whose vectors have at most `lanes` elements of 32 bits (4 at
/// least). How many are used then. Not while another thread computes a digest.
std::size_t limit_digest_lanes(std::size_t lanes);

}  // namespace sealite

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sealite::runtime {

/// What is hashed at a time: XXH3-128 of each such piece, then of the list of these.
inline constexpr std::size_t kHashPiece = std::size_t{1} << 21U;

/// The hash of a content that comes front to back.
class ContentHash {
 public:
  /// The next `kHashPiece` bytes, or the last ones.
  void add(ByteView piece);
  /// 32 hexadecimal digits.
  std::string hex() const;

 private:
  std::vector<std::uint64_t> pieces_;
  std::uint64_t size_ = 0;
};

/// The same for a mapped file, on all processors; its pages leave memory again. Throws kInterrupted.
std::string content_hash(ByteView mapped);

/// For short texts. 32 hexadecimal digits.
std::string text_hash(std::string_view text);

}  // namespace sealite::runtime

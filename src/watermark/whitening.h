#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "watermark/message.h"

namespace sealite::watermark {

/// The pseudo-random bits of a key, from SHA-256 (docs/payload.md). They make unmarked pictures look like
/// fair coin flips to the decoder, and keep users with different keys apart. They are no encryption and no
/// signature.
class KeyedBits {
 public:
  /// `domain` separates versions, kinds and lengths: each has bits of its own.
  KeyedBits(std::string_view domain, std::string_view key);

  /// The first `count` bits of the whitening sequence.
  Bits whitening(std::size_t count) const;
  /// A checksum of `bytes`, `count` <= 256 bits. Two different inputs agree with probability 2^-count.
  Bits checksum(std::span<const std::uint8_t> bytes, std::size_t count) const;

 private:
  std::array<std::uint8_t, 32> seed_;
};

/// The bits of `bytes`, the most significant first.
Bits bits_of(std::span<const std::uint8_t> bytes);

}  // namespace sealite::watermark

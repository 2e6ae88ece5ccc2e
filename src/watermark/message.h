#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sealite::watermark {

/// A message's bits, 0 or 1, in the model's order.
using Bits = std::vector<std::uint8_t>;

/// Bit k is 1 where logit 1 + k is positive. `logits` [1 + bits]: column 0 is a detection bit that training
/// leaves unused.
Bits bits_from_logits(std::span<const float> logits);

/// Hexadecimal, first bit = most significant bit of the first digit; a last digit that is not full is filled
/// with zeros.
std::string to_hex(const Bits& bits);

/// The inverse, for `count` bits; an "0x" in front is allowed. Throws kUsage for another length, other
/// characters or set bits after the last.
Bits from_hex(std::string_view hex, std::size_t count);

}  // namespace sealite::watermark

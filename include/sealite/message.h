#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sealite/error.h"

namespace sealite {

/// What a message that means something holds; other messages are raw bits.
enum class PayloadKind { kId, kText };

/// What a model can carry besides raw bits; all 0 below 64 and above 1024 bits.
struct PayloadCapacity {
  std::size_t id_bits = 0;     ///< Ids are below 2^id_bits.
  std::size_t text_bytes = 0;  ///< Texts have at most so many bytes of UTF-8.
};

/// The capacity of a model with `bits` bits.
PayloadCapacity payload_capacity(std::size_t bits);

/// A payload read back (docs/payload.md).
struct DecodedPayload {
  PayloadKind kind = PayloadKind::kId;
  std::uint64_t id = 0;  ///< For kId.
  std::string text;      ///< For kText: UTF-8.
  unsigned version = 0;
  std::size_t corrected_bits = 0;  ///< How many of the model's bits were read wrongly.
  /// Bound on the probability that an unmarked picture gives any payload that agrees as well as this one;
  /// 1e-6 at most.
  double false_positive = 1;
  double log10_false_positive = 0;  ///< Also where false_positive underflows.

  /// "id:N" or "text:STRING", as `message_hex` takes it.
  std::string words() const;
};

/// The message to embed, or to look for, in hexadecimal. `words` is "id:N" (decimal or 0x...), "text:STRING"
/// (UTF-8), "number:N" (the message's bits as one decimal number, most significant bit first, for any model),
/// `bits` 0s and 1s, or hexadecimal, which is checked and comes back in lower case. `key` whitens ids and
/// texts: what is read with another key is no payload. Throws kUsage if the words are none of these or do not
/// fit a model with `bits` bits.
std::string message_hex(const std::string& words, std::size_t bits, const std::string& key = {});

/// A random message of `bits` bits, in hexadecimal, from the system's random numbers.
std::string random_message_hex(std::size_t bits);

}  // namespace sealite

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sealite/message.h"
#include "watermark/message.h"
#include "watermark/polar_code.h"
#include "watermark/whitening.h"

namespace sealite::watermark {

/// The only version so far. It is no field: it is mixed into the keyed bits, so it costs nothing, and a later
/// version may change everything, the code included.
inline constexpr unsigned kPayloadVersion = 1;
inline constexpr std::size_t kFewestPayloadBits = 64;
inline constexpr std::size_t kMostPayloadBits = 1024;
/// An unmarked or damaged picture gives any payload at all with at most this probability.
inline constexpr double kLog10MostFalsePositives = -6;

/// A message that means something: a number or a short text.
struct Payload {
  PayloadKind kind = PayloadKind::kId;
  std::uint64_t id = 0;
  std::string text;  ///< UTF-8, not empty, no NUL.

  friend bool operator==(const Payload&, const Payload&) = default;
};

/// Payloads as messages of a model with a certain number of bits, for one key. The format is docs/payload.md.
class PayloadCodec {
 public:
  /// Any number of bits; where the capacity is 0, `encode` throws and `decode` finds nothing.
  PayloadCodec(std::size_t bits, std::string_view key);

  std::size_t bits() const { return bits_; }

  /// The message [bits]. Throws kUsage if the payload does not fit, saying what would.
  Bits encode(const Payload& payload) const;

  /// The payload in `logits` [1 + bits] (column 0 is unused), if there is one.
  std::optional<DecodedPayload> decode(std::span<const float> logits) const;

 private:
  struct Format {
    PayloadKind kind;
    std::size_t bytes;
    PolarCode code;
    KeyedBits keyed;
    Bits whitening;
  };

  static Format make_format(PayloadKind kind, std::size_t bits, std::string_view key);
  static Bits encode_bytes(const Format& format, std::span<const std::uint8_t> bytes);
  static std::optional<DecodedPayload> decode_format(const Format& format, std::span<const float> logits,
                                                     std::span<const std::int16_t> weights);

  std::size_t bits_;
  std::vector<Format> formats_;  // id, text; none where the capacity is 0
};

/// "id:N" (decimal or 0x…) or "text:STRING"; nullopt if `words` starts with neither. Throws kUsage for a bad
/// number.
std::optional<Payload> parse_payload(std::string_view words);

/// The inverse of `parse_payload`.
std::string to_words(const Payload& payload);

/// The message that `words` name: "id:N", "text:STRING" or hexadecimal. Throws kUsage.
Bits parse_message(std::string_view words, const PayloadCodec& codec);

}  // namespace sealite::watermark

#include "watermark/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "watermark/polar_list_decoder.h"
#include "watermark/soft_bits.h"

namespace sealite::watermark {
namespace {

// Each of the 2 kinds gives at most 32 paths whose checksum is compared: 64 / 2^26 < 1e-6 wrong payloads,
// whatever the logits. Longer checksums cost recovery at 64 bits, shorter lists too (docs/payload.md).
constexpr std::size_t kChecksumBits = 26;
constexpr std::size_t kListSize = 32;
constexpr double kLog10Kinds = 0.30103;

using Bytes = std::vector<std::uint8_t>;

std::string_view kind_name(PayloadKind kind) {
  return kind == PayloadKind::kId ? "id" : "text";
}

Bytes id_bytes(std::uint64_t id, std::size_t count) {
  if (count < sizeof id && id >> (8 * count) != 0) {
    fail(ErrorCode::kUsage, "id {} does not fit: this model's ids have {} bits, so {} is the largest", id,
         8 * count, (std::uint64_t{1} << (8 * count)) - 1);
  }
  Bytes bytes(count);
  for (std::size_t i = count; i-- > 0; id >>= 8U) bytes[i] = static_cast<std::uint8_t>(id & 0xFFU);
  return bytes;
}

bool is_text(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos && is_utf8(text);
}

Bytes text_bytes(const std::string& text, std::size_t count) {
  if (text.empty()) fail(ErrorCode::kUsage, "the text is empty: give 1 to {} bytes of UTF-8", count);
  if (text.size() > count) {
    fail(ErrorCode::kUsage,
         "the text has {} bytes, this model's texts have at most {}: shorten it or use an id", text.size(),
         count);
  }
  if (!is_text(text)) fail(ErrorCode::kUsage, "the text is not UTF-8, or has a NUL in it");
  Bytes bytes(text.begin(), text.end());
  bytes.resize(count);
  return bytes;
}

Bytes pack(const Bits& bits, std::size_t bytes) {
  Bytes packed(bytes, 0);
  for (std::size_t i = 0; i < 8 * bytes; ++i)
    packed[i / 8] = static_cast<std::uint8_t>(packed[i / 8] * 2 + bits[i]);
  return packed;
}

// Nothing if the bytes are no text: the checksum was right by chance then.
std::optional<Payload> unpack(PayloadKind kind, const Bytes& bytes) {
  Payload payload;
  payload.kind = kind;
  if (kind == PayloadKind::kId) {
    for (const std::uint8_t byte : bytes) payload.id = payload.id << 8U | byte;
    return payload;
  }
  payload.text.assign(bytes.begin(), bytes.end());
  payload.text.erase(payload.text.find_last_not_of('\0') + 1);
  if (!is_text(payload.text)) return std::nullopt;
  return payload;
}

void flip_whitened(std::vector<std::int16_t>& weights, const Bits& whitening) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (whitening[i] != 0) weights[i] = static_cast<std::int16_t>(-weights[i]);
  }
}

}  // namespace

PayloadCodec::Format PayloadCodec::make_format(PayloadKind kind, std::size_t bits, std::string_view key) {
  const PayloadCapacity capacity = payload_capacity(bits);
  const std::size_t bytes = kind == PayloadKind::kId ? capacity.id_bits / 8 : capacity.text_bytes;
  const KeyedBits keyed(fmt::format("sealite-payload-{}:{}:{}", kPayloadVersion, kind_name(kind), bits), key);
  return {kind, bytes, PolarCode(bits, 8 * bytes + kChecksumBits), keyed, keyed.whitening(bits)};
}

PayloadCodec::PayloadCodec(std::size_t bits, std::string_view key) : bits_(bits) {
  if (payload_capacity(bits).id_bits == 0) return;
  for (const PayloadKind kind : {PayloadKind::kId, PayloadKind::kText})
    formats_.push_back(make_format(kind, bits, key));
}

Bits PayloadCodec::encode(const Payload& payload) const {
  const auto format = std::ranges::find(formats_, payload.kind, &Format::kind);
  if (format == formats_.end()) {
    fail(ErrorCode::kUsage,
         "raw bits only: ids and texts need a model of {} to {} bits, this one has {}; give the message in "
         "hexadecimal",
         kFewestPayloadBits, kMostPayloadBits, bits_);
  }
  return encode_bytes(*format, payload.kind == PayloadKind::kId ? id_bytes(payload.id, format->bytes)
                                                                : text_bytes(payload.text, format->bytes));
}

Bits PayloadCodec::encode_bytes(const Format& format, std::span<const std::uint8_t> bytes) {
  Bits information = bits_of(bytes);
  const Bits checksum = format.keyed.checksum(bytes, kChecksumBits);
  information.insert(information.end(), checksum.begin(), checksum.end());
  Bits message = format.code.encode(information);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] ^= format.whitening[i];
  return message;
}

std::optional<DecodedPayload> PayloadCodec::decode(std::span<const float> logits) const {
  if (logits.size() != bits_ + 1) {
    fail(ErrorCode::kInternal, "{} logits for a message of {} bits", logits.size(), bits_);
  }
  if (formats_.empty()) return std::nullopt;
  const std::vector<std::int16_t> weights = weigh_logits(logits);
  for (const Format& format : formats_) {
    if (auto found = decode_format(format, logits, weights)) return found;
  }
  return std::nullopt;
}

std::optional<DecodedPayload> PayloadCodec::decode_format(const Format& format, std::span<const float> logits,
                                                          std::span<const std::int16_t> weights) {
  std::vector<std::int16_t> received(weights.begin(), weights.end());
  flip_whitened(received, format.whitening);
  const double log10_payloads = 8 * static_cast<double>(format.bytes) * std::log10(2.0);
  for (const PolarPath& path : PolarListDecoder(format.code, kListSize).decode(received)) {
    const Bytes bytes = pack(path.information, format.bytes);
    const Bits checksum = format.keyed.checksum(bytes, kChecksumBits);
    if (!std::equal(checksum.begin(), checksum.end(), path.information.end() - kChecksumBits)) continue;
    const double log10_false_positive =
        log10_penalty_tail(weights, path.penalty) + log10_payloads + kLog10Kinds;
    if (log10_false_positive > kLog10MostFalsePositives) return std::nullopt;
    const auto payload = unpack(format.kind, bytes);
    if (!payload) return std::nullopt;
    DecodedPayload decoded;
    decoded.kind = payload->kind;
    decoded.id = payload->id;
    decoded.text = payload->text;
    decoded.version = kPayloadVersion;
    decoded.log10_false_positive = log10_false_positive;
    decoded.false_positive = std::pow(10.0, log10_false_positive);
    for (std::size_t i = 0; i < path.word.size(); ++i) {
      const bool read = logits[i + 1] > 0;
      const bool sent = (path.word[i] ^ format.whitening[i]) != 0;
      decoded.corrected_bits += read != sent ? 1U : 0U;
    }
    return decoded;
  }
  return std::nullopt;
}

}  // namespace sealite::watermark

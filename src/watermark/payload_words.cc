#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "watermark/payload.h"

namespace sealite::watermark {
namespace {

constexpr std::string_view kIdPrefix = "id:";
constexpr std::string_view kTextPrefix = "text:";

std::uint64_t parse_id(std::string_view digits) {
  const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
  const std::string_view number = hexadecimal ? digits.substr(2) : digits;
  std::uint64_t id = 0;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), id, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != number.data() + number.size()) {
    fail(ErrorCode::kUsage, "'id:{}': expected a number from 0 to {} behind 'id:', decimal or 0x...", digits,
         UINT64_MAX);
  }
  return id;
}

}  // namespace

std::optional<Payload> parse_payload(std::string_view words) {
  Payload payload;
  if (words.starts_with(kIdPrefix)) {
    payload.id = parse_id(words.substr(kIdPrefix.size()));
    return payload;
  }
  if (words.starts_with(kTextPrefix)) {
    payload.kind = PayloadKind::kText;
    payload.text = words.substr(kTextPrefix.size());
    return payload;
  }
  return std::nullopt;
}

std::string to_words(const Payload& payload) {
  return payload.kind == PayloadKind::kId ? fmt::format("{}{}", kIdPrefix, payload.id)
                                          : fmt::format("{}{}", kTextPrefix, payload.text);
}

Bits parse_message(std::string_view words, const PayloadCodec& codec) {
  if (const auto payload = parse_payload(words)) return codec.encode(*payload);
  try {
    return from_hex(words, codec.bits());
  } catch (const Error& error) {
    const bool number = !words.empty() && words.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || payload_capacity(codec.bits()).id_bits == 0) throw;
    throw Error(error.code(), fmt::format("{}; the number is written id:{}", error.what(), words));
  }
}

}  // namespace sealite::watermark

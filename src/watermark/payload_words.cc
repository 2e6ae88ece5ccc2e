#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "watermark/payload.h"

namespace sealite::watermark {
namespace {

constexpr std::string_view kIdPrefix = "id:";
constexpr std::string_view kTextPrefix = "text:";
constexpr std::string_view kNumberPrefix = "number:";

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

/// The number's bits, the most significant one first, zeros before it.
Bits number_bits(std::string_view digits, std::size_t count) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool fits = count >= 64 || number >> count == 0;
  if (error != std::errc() || end != digits.data() + digits.size() || !fits) {
    fail(ErrorCode::kUsage, "'number:{}': expected a decimal number of {} bits at most", digits,
         std::min<std::size_t>(count, 64));
  }
  Bits bits(count);
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 64); ++i)
    bits[count - 1 - i] = static_cast<std::uint8_t>(number >> i & 1U);
  return bits;
}

/// A message as 0s and 1s. One of a single bit is hexadecimal.
bool is_binary(std::string_view words, std::size_t count) {
  return count > 1 && words.size() == count && words.find_first_not_of("01") == std::string_view::npos;
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
  if (words.starts_with(kNumberPrefix)) return number_bits(words.substr(kNumberPrefix.size()), codec.bits());
  if (is_binary(words, codec.bits())) {
    Bits bits;
    for (const char digit : words) bits.push_back(digit == '1' ? 1 : 0);
    return bits;
  }
  try {
    return from_hex(words, codec.bits());
  } catch (const Error& error) {
    const bool number = !words.empty() && words.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || payload_capacity(codec.bits()).id_bits == 0) throw;
    throw Error(error.code(), fmt::format("{}; the number is written id:{}", error.what(), words));
  }
}

}  // namespace sealite::watermark

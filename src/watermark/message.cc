#include "watermark/message.h"

#include "base/error.h"

namespace sealite::watermark {
namespace {

unsigned digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10U;
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10U;
  fail(ErrorCode::kUsage, "'{}' is not a hexadecimal digit", digit);
}

}  // namespace

Bits bits_from_logits(std::span<const float> logits) {
  Bits bits;
  for (const float logit : logits.subspan(1)) bits.push_back(logit > 0 ? 1 : 0);
  return bits;
}

std::string to_hex(const Bits& bits) {
  std::string hex;
  for (std::size_t start = 0; start < bits.size(); start += 4) {
    unsigned digit = 0;
    for (std::size_t i = 0; i < 4; ++i) digit = digit * 2 + (start + i < bits.size() ? bits[start + i] : 0U);
    hex += "0123456789abcdef"[digit];
  }
  return hex;
}

Bits from_hex(std::string_view hex, std::size_t count) {
  if (hex.starts_with("0x") || hex.starts_with("0X")) hex.remove_prefix(2);
  if (hex.size() != (count + 3) / 4) {
    fail(ErrorCode::kUsage, "a message of {} bits is {} hexadecimal digits, found {}", count, (count + 3) / 4,
         hex.size());
  }
  Bits bits;
  for (const char digit : hex) {
    const unsigned value = digit_value(digit);
    for (unsigned mask = 8; mask != 0; mask /= 2) bits.push_back((value & mask) != 0 ? 1 : 0);
  }
  for (std::size_t i = count; i < bits.size(); ++i) {
    if (bits[i] != 0) fail(ErrorCode::kUsage, "the message sets bits after its last one, bit {}", count - 1);
  }
  bits.resize(count);
  return bits;
}

}  // namespace sealite::watermark

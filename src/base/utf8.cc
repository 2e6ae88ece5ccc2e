#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

namespace sealite {

std::size_t utf8_sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool is_showable(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(sequence[i]); };
  switch (sequence.size()) {
    case 1:
      return byte(0) >= 0x20 && byte(0) != 0x7F;
    case 2:  // U+0080 to U+009F are controls; U+061C, the Arabic letter mark
      return !(byte(0) == 0xC2 && byte(1) < 0xA0) && sequence != "\u061C";
    case 3: {
      if (byte(0) != 0xE2 || (byte(1) != 0x80 && byte(1) != 0x81)) return true;
      const unsigned point = 0x2000U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
      const bool mark = point == 0x200E || point == 0x200F;
      const bool line_or_embedding = point >= 0x2028 && point <= 0x202E;
      const bool isolate = point >= 0x2066 && point <= 0x2069;
      return !(mark || line_or_embedding || isolate);
    }
    default:
      return true;
  }
}

std::string shown(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view sequence = text.substr(0, length);
    if (length == 0 || !is_showable(sequence)) {
      result += '?';
    } else {
      result += sequence;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  if (text.size() <= kLongest) return shown(text);
  std::size_t end = 0;
  while (end < kLongest) {
    const std::size_t length = utf8_sequence_length(text.substr(end));
    end += length == 0 ? 1 : length;
  }
  return shown(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace sealite

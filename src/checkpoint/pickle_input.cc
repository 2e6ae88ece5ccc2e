#include "checkpoint/pickle_input.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {
namespace {

// Python writes integers of any length in decimal; longer ones than this are no part of a checkpoint.
constexpr std::size_t kMaxDigits = 4096;

void append_utf8(std::uint32_t letter, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (letter < 0x80) {
    put(letter);
  } else if (letter < 0x800) {
    put(0xC0U | (letter >> 6U));
    put(0x80U | (letter & 0x3FU));
  } else if (letter < 0x10000) {
    put(0xE0U | (letter >> 12U));
    put(0x80U | ((letter >> 6U) & 0x3FU));
    put(0x80U | (letter & 0x3FU));
  } else {
    put(0xF0U | (letter >> 18U));
    put(0x80U | ((letter >> 12U) & 0x3FU));
    put(0x80U | ((letter >> 6U) & 0x3FU));
    put(0x80U | (letter & 0x3FU));
  }
}

// The hexadecimal number that is the first `digits` letters of `text`.
std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const std::string_view part = text.substr(0, digits);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return value;
}

// Python's raw-unicode-escape: Latin-1, and \uXXXX or \UXXXXXXXX for every other letter.
std::optional<std::string> unescape_unicode(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const bool escape = line.starts_with("\\u") || line.starts_with("\\U");
    if (!escape) {
      append_utf8(static_cast<unsigned char>(line[0]), out);
      line.remove_prefix(1);
      continue;
    }
    const std::size_t digits = line[1] == 'u' ? 4 : 8;
    const auto letter = hexadecimal(line.substr(2), digits);
    if (!letter || *letter > 0x10FFFF) return std::nullopt;
    append_utf8(*letter, out);
    line.remove_prefix(2 + digits);
  }
  return out;
}

// What Python's repr() of a text of bytes escapes.
std::optional<std::string> unescape_repr(std::string_view line) {
  const bool quoted =
      line.size() >= 2 && line.front() == line.back() && (line.front() == '\'' || line.front() == '"');
  if (!quoted) return std::nullopt;
  line = line.substr(1, line.size() - 2);
  constexpr std::string_view kLetters = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  while (!line.empty()) {
    if (line[0] != '\\') {
      out += line[0];
      line.remove_prefix(1);
      continue;
    }
    if (line.size() < 2) return std::nullopt;
    if (line[1] == 'x') {
      const auto byte = hexadecimal(line.substr(2), 2);
      if (!byte) return std::nullopt;
      out += static_cast<char>(*byte);
      line.remove_prefix(4);
      continue;
    }
    const std::size_t which = kLetters.find(line[1]);
    if (which == std::string_view::npos) return std::nullopt;
    out += kMeanings[which];
    line.remove_prefix(2);
  }
  return out;
}

// Little-endian two's complement of any length; what passes 64 bits (seeds of random generators) is kept as
// bytes.
Node long_node(ByteView bytes) {
  if (bytes.size() > sizeof(std::uint64_t)) return {.kind = NodeKind::kBigInt, .text = as_text(bytes)};
  const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = (value << 8U) | std::to_integer<std::uint64_t>(bytes[i]);
  return {.kind = NodeKind::kInt, .integer = static_cast<std::int64_t>(value)};
}

bool is_utf8_with_surrogates(std::string_view text) {
  while (!text.empty()) {
    const bool surrogate =
        text.size() >= 3 && text[0] == '\xED' && (text[1] & 0xE0) == 0xA0 && (text[2] & 0xC0) == 0x80;
    const std::size_t length = surrogate ? 3 : utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Node integer_node(std::int64_t value) {
  return {.kind = NodeKind::kInt, .integer = value};
}

}  // namespace

void PickleInput::fail_pickle(std::string_view what) const {
  fail(ErrorCode::kMalformed, "broken pickle at byte {}: {}", opcode_at_, what);
}

std::uint8_t PickleInput::take_opcode() {
  opcode_at_ = at_;
  return take_byte();
}

ByteView PickleInput::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) fail_pickle("it ends early");
  const ByteView result = bytes_.subspan(at_, size);
  at_ += size;
  return result;
}

std::string_view PickleInput::take_line() {
  const std::string_view rest = as_text(bytes_.subspan(at_));
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) fail_pickle("it ends inside a name");
  at_ += end + 1;
  return rest.substr(0, end);
}

std::uint32_t PickleInput::take_index_line() {
  const std::string_view line = take_line();
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (error != std::errc() || end != line.data() + line.size()) fail_pickle("a memo's index is no number");
  return index;
}

Node PickleInput::integer_line() {
  const std::string_view line = take_line();
  // Protocols 0 and 1 have no other word for true and false.
  if (line == "00" || line == "01") return {.kind = NodeKind::kBool, .integer = line == "01" ? 1 : 0};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end != line.data() + line.size()) fail_pickle("a line that is no integer");
  return integer_node(value);
}

Node PickleInput::long_line() {
  std::string_view line = take_line();
  if (line.ends_with('L')) line.remove_suffix(1);
  const std::string_view digits = line.substr(line.starts_with('-') ? 1 : 0);
  const bool number = !digits.empty() && digits.size() <= kMaxDigits &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!number) fail_pickle("a line that is no integer");
  std::int64_t value = 0;
  if (std::from_chars(line.data(), line.data() + line.size(), value).ec == std::errc())
    return integer_node(value);
  return {.kind = NodeKind::kBigInt, .text = line};
}

Node PickleInput::float_line() {
  const std::string_view line = take_line();
  double real = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), real);
  if (error != std::errc() || end != line.data() + line.size()) fail_pickle("a line that is no number");
  return {.kind = NodeKind::kFloat, .real = real};
}

std::optional<Node> PickleInput::take_number(std::uint8_t opcode) {
  switch (opcode) {
    case 'J':
      return integer_node(take_value<std::int32_t>());
    case 'K':
      return integer_node(take_value<std::uint8_t>());
    case 'M':
      return integer_node(take_value<std::uint16_t>());
    case 0x8a:
      return long_node(take(take_byte()));
    case 0x8b:
      return long_node(take(take_value<std::uint32_t>()));
    case 'G':  // the only big-endian value of the format
      return Node{.kind = NodeKind::kFloat,
                  .real = std::bit_cast<double>(__builtin_bswap64(take_value<std::uint64_t>()))};
    case 'I':
      return integer_line();
    case 'L':
      return long_line();
    case 'F':
      return float_line();
    default:
      return std::nullopt;
  }
}

Node PickleInput::text_node(ByteView bytes) const {
  const std::string_view text = as_text(bytes);
  if (is_utf8(text)) return {.kind = NodeKind::kText, .text = text};
  // Python writes a file's name that is no UTF-8 with halves of surrogate pairs: no text that can be shown.
  if (!is_utf8_with_surrogates(text)) fail_pickle("a text is not UTF-8");
  return {.kind = NodeKind::kBytes, .text = text};
}

std::optional<Node> PickleInput::take_text(std::uint8_t opcode, std::deque<std::string>& texts) {
  const auto bytes_node = [](ByteView bytes) {
    return Node{.kind = NodeKind::kBytes, .text = as_text(bytes)};
  };
  // Python 2's texts are bytes; torch takes them for UTF-8 as well.
  const auto old_text = [](std::string_view bytes) {
    return Node{.kind = is_utf8(bytes) ? NodeKind::kText : NodeKind::kBytes, .text = bytes};
  };
  const auto kept = [&](std::optional<std::string> text) -> std::string_view {
    if (!text) fail_pickle("a text's escapes are broken");
    return texts.emplace_back(*std::move(text));
  };
  switch (opcode) {
    case 'X':
      return text_node(take(take_value<std::uint32_t>()));
    case 0x8c:
      return text_node(take(take_byte()));
    case 0x8d:
      return text_node(take(take_value<std::uint64_t>()));
    case 'T':
      return old_text(as_text(take(take_value<std::uint32_t>())));
    case 'U':
      return old_text(as_text(take(take_byte())));
    case 'B':
      return bytes_node(take(take_value<std::uint32_t>()));
    case 'C':
      return bytes_node(take(take_byte()));
    case 0x8e:
    case 0x96:
      return bytes_node(take(take_value<std::uint64_t>()));
    case 'S':
      return old_text(kept(unescape_repr(take_line())));
    case 'V':
      return text_node(as_bytes(kept(unescape_unicode(take_line()))));
    default:
      return std::nullopt;
  }
}

}  // namespace sealite::checkpoint

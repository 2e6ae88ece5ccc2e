#include "cli/plain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace sealite::cli {

std::string plain_text(std::string text) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
  };
  std::ranges::replace_if(text, is_control, '?');
  // U+0080 to U+009F, C2 80 to C2 9F in UTF-8, control terminals as well.
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (text[i] == '\xC2' && next >= 0x80 && next < 0xA0) text.replace(i, 2, "?");
  }
  return text;
}

void print_error_line(const std::string& message) {
  std::string line = plain_text(message);
  std::ranges::replace(line, '\n', ' ');
  std::fputs(fmt::format("sealite: error: {}\n", line).c_str(), stderr);
}

}  // namespace sealite::cli

#include "cli/plain_text.h"

#include <algorithm>
#include <cstdio>

namespace sealite::cli {

void print_formatted(const std::string& text) {
  fmt::print("{}", text);  // throws std::system_error if it cannot
}

void print_lines_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::fputs((shown(text.substr(0, end)) + '\n').c_str(), stderr);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void print_error_line(std::string_view message) {
  std::fputs(fmt::format("sealite: error: {}\n", shown(message)).c_str(), stderr);
}

void print_warning(std::string_view message) {
  // What cannot be said must not end the work, as an exception of fmt::print would.
  std::fputs(fmt::format("sealite: warning: {}\n", shown(message)).c_str(), stderr);
}

}  // namespace sealite::cli

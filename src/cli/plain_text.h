#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/utf8.h"

namespace sealite::cli {

/// Texts as they are shown, everything else as it is.
template <typename Value>
auto shown_value(const Value& value) {
  if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    return shown(std::string_view(value));
  } else {
    static_assert(std::is_arithmetic_v<Value>, "make a text of it, so that it can be shown");
    return value;
  }
}

/// Writes `text` to the standard output as it is.
void print_formatted(const std::string& text);

/// What every command prints with: `format`'s own text is the program's and may have lines, each text in
/// `args` may come from a stranger and is `shown`. tools/check_printing.sh lets nothing else print.
template <typename... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  // The copies live until it is formatted.
  const auto format_shown = [&](const auto&... values) {
    return fmt::vformat(format, fmt::make_format_args(values...));
  };
  print_formatted(format_shown(shown_value(args)...));
}

/// Writes a text of several lines to stderr, each of them `shown`.
void print_lines_to_stderr(std::string_view text);

/// Prints "sealite: error: MESSAGE" to stderr, as one line, `shown`.
void print_error_line(std::string_view message);

/// Prints "sealite: warning: MESSAGE" to stderr, likewise.
void print_warning(std::string_view message);

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  print_warning(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sealite::cli

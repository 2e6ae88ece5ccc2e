#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace sealite {

/// Prints "sealite: warning: MESSAGE" to stderr, as one line and `shown`.
void print_warning(const std::string& message);

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  print_warning(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sealite

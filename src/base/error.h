#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "sealite/error.h"

namespace sealite {

/// The stable lower-case name of a code, as printed in `--json`, e.g. "malformed".
std::string_view error_code_name(ErrorCode code);

/// Throws `Error{code, fmt::format(...)}`.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Runs `body`; an `Error` that leaves it gets "context: " in front of its message.
template <typename Body>
auto add_context(std::string_view context, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", context, error.what()));
  }
}

}  // namespace sealite

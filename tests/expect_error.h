#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

#include "base/error.h"

namespace sealite {

/// Expects that `body` throws an Error of `code` whose message contains all of `parts`.
template <typename Body>
void expect_error(ErrorCode code, std::initializer_list<std::string_view> parts, Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error_code_name(error.code()) << ": " << error.what();
    for (const std::string_view part : parts) {
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << "no '" << part << "' in: " << error.what();
    }
    return;
  }
  ADD_FAILURE() << "nothing was thrown, expected " << error_code_name(code);
}

}  // namespace sealite

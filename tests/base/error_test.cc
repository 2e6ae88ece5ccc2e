#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace sealite {
namespace {

TEST(ErrorTest, CarriesCodeAndFormattedMessage) {
  try {
    fail(ErrorCode::kMismatch, "tensor '{}': expected {}, found {}", "head.weight", 3, 4);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_STREQ(error.what(), "tensor 'head.weight': expected 3, found 4");
  }
}

TEST(ErrorTest, ContextGoesInFrontAndKeepsTheCode) {
  try {
    add_context("a.pth", [] { add_context("entry 3", [] { fail(ErrorCode::kMalformed, "too short"); }); });
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMalformed);
    EXPECT_STREQ(error.what(), "a.pth: entry 3: too short");
  }
}

TEST(ErrorTest, ContextPassesResultsAndOtherExceptionsThrough) {
  EXPECT_EQ(add_context("x", [] { return 7; }), 7);
  EXPECT_THROW(add_context("x", [] { throw std::logic_error("other"); }), std::logic_error);
}

TEST(ErrorTest, CodesAndNamesAreStable) {
  const std::set<std::pair<int, std::string_view>> codes = {
      {64, "usage"},     {65, "malformed"}, {66, "not_found"}, {69, "unsupported"}, {70, "internal"},
      {71, "no_memory"}, {74, "io"},        {75, "timeout"},   {78, "mismatch"},    {130, "interrupted"},
  };
  for (const auto& [number, name] : codes) EXPECT_EQ(error_code_name(static_cast<ErrorCode>(number)), name);
}

}  // namespace
}  // namespace sealite

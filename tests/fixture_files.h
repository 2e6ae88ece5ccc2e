#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sealite {

/// A reference file of shared/fixtures (its README says what each is); the test fails if it is missing.
inline std::filesystem::path fixture(const std::string& name) {
  const auto path = std::filesystem::path(SEALITE_SHARED) / "fixtures" / name;
  EXPECT_TRUE(std::filesystem::exists(path)) << "fixture missing: " << path << " (set -DSEALITE_SHARED=...)";
  return path;
}

}  // namespace sealite

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sealite {

/// A file of tests/reference or assets (their READMEs say what each is); the test fails if it is in neither.
inline std::filesystem::path fixture(const std::string& name) {
  const std::filesystem::path source = SEALITE_SOURCE_DIR;
  const auto path = source / "tests/reference" / name;
  if (std::filesystem::exists(path)) return path;
  EXPECT_TRUE(std::filesystem::exists(source / "assets" / name)) << "no " << path << ", nor in assets/";
  return source / "assets" / name;
}

}  // namespace sealite

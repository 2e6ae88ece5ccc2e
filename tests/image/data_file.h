#pragma once

#include <filesystem>
#include <string>

namespace sealite::image {

/// A file of tests/image/data.
inline std::filesystem::path data_file(const std::string& name) {
  return std::filesystem::path(SEALITE_SOURCE_DIR "/tests/image/data") / name;
}

}  // namespace sealite::image

#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>

#include "checkpoint/numpy.h"

namespace sealite::verify {

/// Arrays that somebody saved from PyTorch: an .npz file or a folder of .npy files.
class SavedTensors {
 public:
  explicit SavedTensors(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  /// The array under the first of these names that there is. Throws kUsage if none is there, and what reading
  /// it throws.
  checkpoint::NumpyArray array(std::initializer_list<const char*> names) const;

 private:
  std::filesystem::path path_;
};

}  // namespace sealite::verify

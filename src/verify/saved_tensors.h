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
  /// What the file says that they are: "tensors saved from PyTorch 2.13.0" if it has a text `torch_version`,
  /// else that it does not say.
  std::string origin() const;

 private:
  std::filesystem::path path_;
};

}  // namespace sealite::verify

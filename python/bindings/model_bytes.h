#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <filesystem>
#include <vector>

#include "sealite/model_source.h"

namespace sealite::python {

namespace nb = nanobind;

/// A model as Python hands it over, for as long as what is made from it.
class KeptModel {
 public:
  /// A path's text or path object, or the bytes of a file.
  explicit KeptModel(const nb::object& model);
  ModelSource source() const;

 private:
  std::filesystem::path path_;
  nb::object bytes_;               // none if it is a path
  std::vector<std::byte> padded_;  // bytes that do not end as Sealite's models do
};

}  // namespace sealite::python

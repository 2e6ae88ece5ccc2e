#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/shape.h"

namespace sealite::checkpoint {

/// An array that NumPy saved, as float32 (row-major; float16, float64 and integers are converted).
struct NumpyArray {
  Shape shape;
  std::vector<float> values;
};

/// The array called `name` in `path`: an .npz file (`numpy.savez`) or a folder with NAME.npy; nothing if it
/// is not there. Nothing is executed: object arrays are refused. Throws kNotFound if `path` does not exist,
/// kMalformed, kUnsupported (compressed archives, other element types, Fortran order), naming the file.
/// Source: numpy/lib/format.py.
std::optional<NumpyArray> read_numpy(const std::filesystem::path& path, const std::string& name);

/// The text called `name` in `path`, saved as one string: `numpy.savez(…, name="text")`. At most 64 ASCII
/// characters. Nothing if it is not there; throws as `read_numpy`.
std::optional<std::string> read_numpy_text(const std::filesystem::path& path, const std::string& name);

}  // namespace sealite::checkpoint

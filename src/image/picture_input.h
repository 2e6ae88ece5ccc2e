#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <vector>

namespace sealite::image {

/// A picture's file, or its bytes in memory.
struct PictureInput {
  std::filesystem::path path;        ///< Or what errors call it.
  std::span<const std::byte> bytes;  ///< Empty: read the file.
  std::vector<std::byte> own;        ///< What `bytes` looks into where they came from a pipe.
};

/// The file at `path`; of a pipe or a device all bytes until its end, at most `most_bytes`. Throws kNotFound
/// (nothing there, a folder), kIo (no permission), kUnsupported (more bytes), kInterrupted.
PictureInput open_input(const std::filesystem::path& path, std::size_t most_bytes);

/// The bytes of a file followed by `end`. Throws kIo.
std::vector<std::byte> read_whole(const std::filesystem::path& path, std::span<const std::byte> end);

}  // namespace sealite::image

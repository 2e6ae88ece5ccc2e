#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <variant>

namespace sealite {

/// Where a .tflite model is: a file's path, an open file, or bytes in memory. A file is mapped, not read;
/// where others may write to it, it is copied first, so that what is checked is what runs.
class ModelSource {
 public:
  ModelSource(std::filesystem::path path)  // NOLINT(google-explicit-constructor): a path is a source
      : place_(std::move(path)) {}
  ModelSource(const char* path)  // NOLINT(google-explicit-constructor): a path is a source
      : place_(std::filesystem::path(path)) {}
  ModelSource(const std::string& path)  // NOLINT(google-explicit-constructor): a path is a source
      : place_(std::filesystem::path(path)) {}

  /// Bytes that stay, unchanged, as long as what is made from them: they are not copied, and 64 more bytes
  /// behind them may be read unless they end with 64 zeros, as Sealite's models do. `name` is for errors.
  static ModelSource from_bytes(std::span<const std::byte> bytes, std::string name = "the model in memory") {
    return ModelSource(Bytes{bytes, std::move(name)});
  }
  /// An open regular file, from its beginning; the descriptor may be closed when the call that takes it
  /// returns.
  static ModelSource from_descriptor(int descriptor, std::string name = "the open model file") {
    return ModelSource(Descriptor{descriptor, std::move(name)});
  }

  struct Bytes {
    std::span<const std::byte> bytes;
    std::string name;
  };
  struct Descriptor {
    int number = -1;
    std::string name;
  };
  using Place = std::variant<std::filesystem::path, Bytes, Descriptor>;
  const Place& place() const { return place_; }

 private:
  explicit ModelSource(Place place) : place_(std::move(place)) {}
  Place place_;
};

}  // namespace sealite

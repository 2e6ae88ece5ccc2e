#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/file_descriptor.h"
#include "base/file_stamp.h"

namespace sealite::runtime {

/// The folder with the packed weights of models. In it, KEY.weights is XNNPACK's file, KEY.sum says when it
/// is whole, NUMBER.model remembers a model's hash, and `lock` is held by whoever adds or removes any.
/// Nothing here throws (but `locate` for a wrong setting, and what stops the program): a cache that does not
/// work costs time only.
class CacheFolder {
 public:
  /// `wanted`, made if absent. Nothing if it cannot be, or if other users may write there. Throws kUsage for
  /// a wrong $SEALITE_CACHE_SIZE.
  static std::optional<CacheFolder> locate(const std::filesystem::path& wanted);

  /// The whole and undamaged KEY.weights, open; none if there is none. Its use is noted for `store`.
  FileDescriptor find(const std::string& key) const;

  /// Copies all of `packed` to KEY.weights, after removing the files used longest ago as the cap asks for.
  /// False if there is no room for it or another process is writing.
  bool store(const std::string& key, int packed) const;

  /// Whether `store` could write here.
  bool writable() const;

  /// The content hash that `remember` was given for a file with this stamp, if it surely holds still.
  std::optional<std::string> recall(const FileStamp& model) const;
  void remember(const FileStamp& model, const std::string& hash) const;

 private:
  CacheFolder(FileDescriptor folder, std::uint64_t cap)
      : folder_(std::move(folder)), path_(fmt::format("/proc/self/fd/{}", folder_.get())), cap_(cap) {}
  std::filesystem::path file(const std::string& key, const char* extension) const;
  bool make_room(std::uint64_t size) const;
  bool copy(const std::string& key, int packed) const;

  FileDescriptor folder_;
  std::filesystem::path path_;  // the folder that was found private, whatever has its name now
  std::uint64_t cap_;           // bytes, of all .weights files
};

}  // namespace sealite::runtime

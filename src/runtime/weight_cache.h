#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file_descriptor.h"
#include "base/mapped_file.h"
#include "runtime/cache_folder.h"
#include "runtime/compiled_model.h"

namespace sealite::runtime {

/// The weights of one model as XNNPACK packs them, kept in the user's cache folder under a hash of the
/// model's content, of LiteRT and of the processor, so that a later start maps them instead of packing them
/// again. XNNPACK believes whatever its cache file holds, and ends the process when writing one fails: so it
/// packs into memory, and only `store` writes to the disk. What does not work costs time, never an answer.
class WeightCache {
 public:
  /// Looks the model up. `library_function`: any function of LiteRT. Throws kUsage (CacheFolder::locate) and
  /// kInterrupted.
  WeightCache(const RunOptions& options, const MappedFile& model, const void* library_function);

  /// XNNPACK's file, for as long as this object lives; empty: pack without one.
  std::filesystem::path path() const;

  /// After XNNPACK has packed into `path()`: keeps that for later starts. True if `path()` now is the file on
  /// disk: compile once more, which takes no time and gives the packed weights' memory back; what was
  /// compiled before must not be used again, since its file's name may soon mean another.
  bool store(const MappedFile& model);

  /// Whether `path()` is a file in memory, which XNNPACK has to fill.
  bool in_memory() const { return in_memory_; }
  WeightCacheUse use() const { return use_; }

 private:
  std::optional<CacheFolder> folder_;
  std::string hash_;  // of the model's content
  std::string key_;
  FileDescriptor file_;
  bool in_memory_ = false;
  WeightCacheUse use_ = WeightCacheUse::kOff;
};

}  // namespace sealite::runtime

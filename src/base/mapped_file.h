#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.h"
#include "base/file_stamp.h"

namespace sealite {

/// A whole file mapped read-only. Pages are read on first touch.
class MappedFile {
 public:
  /// Throws kNotFound if the file cannot be opened (or is not a regular file), kIo if it cannot be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  ByteView bytes() const { return bytes_; }
  std::uint64_t size() const { return bytes_.size(); }
  const std::filesystem::path& path() const { return path_; }
  /// Of the very file that is mapped, whatever has its name since.
  const FileStamp& stamp() const { return stamp_; }

 private:
  std::filesystem::path path_;
  FileStamp stamp_;
  ByteView bytes_;
};

/// Tells the kernel that `view` of a mapped file will be read soon, front to back: fewer page faults.
void prefetch_pages(ByteView view);

/// Drops the whole pages inside `view` of a mapped file from this process's resident memory; a later touch
/// reads them again. Keeps a 3 GB conversion within tens of megabytes.
void release_pages(ByteView view);

}  // namespace sealite

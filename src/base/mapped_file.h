#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/file_stamp.h"

namespace sealite {

/// A whole file mapped read-only. Pages are read on first touch.
class MappedFile {
 public:
  /// Throws kNotFound if there is no such file (or it is not a regular one), kIo if it may not be opened or
  /// cannot be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  /// For bytes that are checked first and believed later: what nobody but this user and root can change any
  /// more. Where others may write to the file, or it is open for writing, that is a copy in memory. (This
  /// user's own programs may still write to their file: what they cut off ends this process with SIGBUS.)
  /// Throws kNoMemory too.
  static MappedFile settled(const std::filesystem::path& path);
  /// The same for an open file, called `name`; the descriptor may be closed afterwards.
  static MappedFile settled(int descriptor, const std::string& name);
  /// Bytes that somebody else keeps, unchanged, as long as this lives.
  static MappedFile borrowed(ByteView bytes, const std::string& name);
  /// A copy of bytes in memory with `zeros` zero bytes behind it, which `bytes()` does not have. Throws
  /// kNoMemory.
  static MappedFile copy_of(ByteView bytes, std::size_t zeros, const std::string& name);
  /// `size` bytes of memory that `fill` writes and nobody changes afterwards, called `name`. They may be
  /// released like a file's: they stay. Throws kNoMemory, and what `fill` throws.
  static MappedFile filled(std::uint64_t size, const std::string& name,
                           const std::function<void(MutableByteView)>& fill);
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
  /// Whether every change of the file since it was opened shows in its stamp: also what is written through a
  /// mapping. Only a `settled` file knows, so else it is false.
  bool stamp_is_sure() const { return stamp_is_sure_; }
  /// `release_pages` of a part of it; nothing for borrowed bytes, which would be gone.
  void release(ByteView view) const;
  /// The bytes are a copy, or were in memory before: no file has to be looked at again.
  bool copied() const { return copied_ || borrowed_; }

 private:
  struct OpenFile;
  static MappedFile settle(const OpenFile& file);
  MappedFile() = default;

  std::filesystem::path path_;
  FileStamp stamp_;
  ByteView bytes_;
  bool stamp_is_sure_ = false;
  bool copied_ = false;
  bool borrowed_ = false;
  std::size_t padding_ = 0;  // mapped behind `bytes_`
};

/// Tells the kernel that `view` of a mapped file will be read soon, front to back: fewer page faults.
void prefetch_pages(ByteView view);

/// Drops the whole pages inside `view` of a mapped file from this process's resident memory; a later touch
/// reads them again. Keeps a 3 GB conversion within tens of megabytes.
void release_pages(ByteView view);

}  // namespace sealite

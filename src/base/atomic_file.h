#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.h"

namespace sealite {

/// A new file that appears under its final name only when it is complete: it is written without a name
/// (O_TMPFILE) where the file system can, else under a dot name, and renamed by `commit`. Without `commit`
/// nothing stays behind. Writes at different offsets may come from several threads.
class AtomicFile {
 public:
  /// Throws kUsage if `path` is a folder, a device or a pipe, kIo if its folder cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Reserves `size` bytes on the disk, so that a full disk is known before the work. Throws kIo,
  /// kInterrupted.
  void reserve(std::uint64_t size);
  /// Writes all of `bytes` at `offset`. Throws kIo.
  void write(std::uint64_t offset, ByteView bytes);
  /// Reads back what was written; throws kIo if it is not there.
  void read(std::uint64_t offset, MutableByteView bytes) const;
  /// Does all of `commit` that can fail for want of space or memory, and leaves the final name as it is: of
  /// several files none gets its name before all are staged. `sync` waits until the disk has it. Throws kIo.
  void stage(bool sync = false);
  /// Gives the file its final name, replacing an older one, staged or not. Throws kIo.
  void commit(bool sync = false);

  const std::filesystem::path& path() const { return path_; }

 private:
  void link_temporary();

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty while the file has no name
  int fd_ = -1;
  bool staged_ = false;
};

}  // namespace sealite

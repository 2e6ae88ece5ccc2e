#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sealite::checkpoint {

/// A stored entry of a zip to be written; its place is known before its contents.
struct PlannedEntry {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  ///< offset of the local header
  std::uint64_t data = 0;    ///< offset of the contents, a multiple of 64
  std::uint32_t crc = 0;
};

/// Where everything in a zip of stored entries lies: planned first, so that contents can be written in any
/// order and the headers, which hold checksums, last. Writes zip64 fields where numbers need them, and always
/// the zip64 end record, as torch does. Source: PKWARE APPNOTE 6.3.10; the "FB" padding:
/// caffe2/serialize/inline_container.cc.
class ZipLayout {
 public:
  /// Appends an entry and returns its index.
  std::size_t add(std::string name, std::uint64_t size);
  std::vector<PlannedEntry>& entries() { return entries_; }
  const std::vector<PlannedEntry>& entries() const { return entries_; }

  /// The bytes from `entry.header` to `entry.data`.
  std::string local_header(const PlannedEntry& entry) const;
  /// The bytes from `directory_offset()` to `file_size()`.
  std::string directory() const;
  std::uint64_t directory_offset() const { return end_; }
  std::uint64_t file_size() const { return end_ + directory().size(); }

 private:
  std::vector<PlannedEntry> entries_;
  std::uint64_t end_ = 0;  // of the last entry
};

}  // namespace sealite::checkpoint

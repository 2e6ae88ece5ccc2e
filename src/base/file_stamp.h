#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sealite {

/// What the file system says of a file without its content being read. Writing to a file changes its stamp,
/// also where its size and its time of modification are put back: nobody can set `changed_ns`.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;        ///< Bytes.
  std::int64_t modified_ns = 0;  ///< Since 1970: of the content.
  std::int64_t changed_ns = 0;   ///< Since 1970: of the content, the name or the permissions.

  bool operator==(const FileStamp&) const = default;

  /// Of an open file; nothing if it cannot be asked.
  static std::optional<FileStamp> of(int fd);
};

/// Whether the file system of an open file is known to change the stamp when somebody who maps the file anew
/// first writes to a page of it (later writes to the same page change nothing). tmpfs does not.
bool stamps_show_mapped_writes(int fd);

/// The five numbers in decimal, separated by spaces.
std::string to_string(const FileStamp& stamp);

}  // namespace sealite

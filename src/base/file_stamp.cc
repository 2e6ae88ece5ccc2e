#include "base/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "base/file_system_types.h"

namespace sealite {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileStamp> FileStamp::of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return std::nullopt;
  return FileStamp{info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
                   nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

bool stamps_show_mapped_writes(int fd) {
  constexpr std::array kKnown{kExt4, kBtrfs, kF2fs, kXfs};
  struct statfs info{};
  return ::fstatfs(fd, &info) == 0 && std::ranges::count(kKnown, static_cast<std::uint32_t>(info.f_type)) > 0;
}

std::string to_string(const FileStamp& stamp) {
  return fmt::format("{} {} {} {} {}", stamp.device, stamp.inode, stamp.size, stamp.modified_ns,
                     stamp.changed_ns);
}

}  // namespace sealite

#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/context.h"
#include "base/error.h"

namespace sealite {
namespace {

// Written in pieces, as cp does: one large write takes the file's lock for long, and makes the page cache ask
// for large blocks of memory, which on a virtual machine the host may have to find first (measured: 2 to 5 s
// instead of 1 for 3 GB).
constexpr std::size_t kPiece = std::size_t{1} << 16U;
constexpr mode_t kMode = 0666;  // less the umask, as for any new file

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  constexpr std::size_t kLongest = 200;  // of the 255 that a file system takes, the rest is for what is added
  return folder_of(path) /
         fmt::format(".{}.{}.partial", path.filename().string().substr(0, kLongest), ::getpid());
}

// A rename would put a file in the place of /dev/null, or of a pipe that another program reads.
void check_target(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto type = std::filesystem::status(path, ignored).type();
  if (!path.has_filename() || type == std::filesystem::file_type::directory) {
    fail(ErrorCode::kUsage, "'{}' is a folder, not a file name to write to", path.string());
  }
  constexpr std::size_t kLongestName = 255;  // NAME_MAX; the work is not done first
  if (path.filename().string().size() > kLongestName) {
    fail(ErrorCode::kUsage, "'{}': a name of {} bytes, and file systems take {}", path.string(),
         path.filename().string().size(), kLongestName);
  }
  const bool free = type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::none;
  if (!free && type != std::filesystem::file_type::regular) {
    fail(ErrorCode::kUsage, "'{}' is a device or a pipe; write to an ordinary file", path.string());
  }
}

[[noreturn]] void fail_io(const char* what, const std::filesystem::path& path, int error) {
  fail(ErrorCode::kIo, "cannot {} '{}': {}", what, path.string(), std::strerror(error));
}

// Some file systems (tmpfs, NFS, FUSE) answer so when any signal comes, also one that only sets a flag.
template <typename Call>
int uninterrupted(Call call) {
  int result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  check_target(path_);
  fd_ = ::open(folder_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
  if (fd_ >= 0) return;
  temporary_ = temporary_name(path_);
  // What a killed process with this number left is in the way; what others put there (a link) is not
  // followed.
  ::unlink(temporary_.c_str());
  fd_ =
      uninterrupted([&] { return ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, kMode); });
  if (fd_ < 0) fail_io("create", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  int error = EINTR;
  while (error == EINTR) {
    check_cancelled();
    error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
  }
  if (error != 0) {
    fail(ErrorCode::kIo, "cannot reserve {} bytes for '{}': {}; free some space or choose another folder",
         size, path_.string(), std::strerror(error));
  }
}

void AtomicFile::write(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t piece = std::min(bytes.size(), kPiece);
    const ssize_t written = ::pwrite(fd_, bytes.data(), piece, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_io("write", path_, errno);
    }
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::read(std::uint64_t offset, MutableByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_io("read back", path_, got == 0 ? EIO : errno);
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

// An unnamed file can only be linked to a free name; the rename then replaces an older file in one step.
void AtomicFile::link_temporary() {
  auto name = temporary_name(path_);
  const auto self = fmt::format("/proc/self/fd/{}", fd_);
  ::unlink(name.c_str());
  const auto link = [&] {
    return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
  };
  if (uninterrupted(link) != 0) fail_io("name", path_, errno);
  temporary_ = std::move(name);  // since the link nothing could throw: it is the destructor's to remove
}

void AtomicFile::stage(bool sync) {
  if (sync && uninterrupted([&] { return ::fsync(fd_); }) != 0) fail_io("flush", path_, errno);
  // Some file systems report a late write error (quota, network) only when a descriptor is closed: a second
  // one is, while the file has no name yet.
  const auto close_second = [&] {
    const int second = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    return second < 0 ? -1 : ::close(second);
  };
  if (uninterrupted(close_second) != 0) fail_io("close", path_, errno);
  if (temporary_.empty()) link_temporary();
  staged_ = true;
}

void AtomicFile::commit(bool sync) {
  if (!staged_) stage(sync);
  if (uninterrupted([&] { return ::rename(temporary_.c_str(), path_.c_str()); }) != 0) {
    fail_io("name", path_, errno);
  }
  temporary_.clear();
  ::close(fd_);  // its errors were heard before
  fd_ = -1;
}

}  // namespace sealite

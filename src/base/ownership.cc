#include "base/ownership.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_system_types.h"

namespace sealite {
namespace {

// Debian's and others' useradd gives each user a group of the same name, and some systems a umask that lets
// it write.
bool is_private_group(gid_t group) {
  std::array<char, 4096> room{};
  passwd user{};
  passwd* found_user = nullptr;
  if (::getpwuid_r(::geteuid(), &user, room.data(), room.size(), &found_user) != 0 || found_user == nullptr)
    return false;
  const std::string name = user.pw_name;
  ::group entry{};
  ::group* found = nullptr;
  if (user.pw_gid != group || ::getgrgid_r(group, &entry, room.data(), room.size(), &found) != 0 ||
      found == nullptr || name != entry.gr_name)
    return false;
  for (char** member = entry.gr_mem; *member != nullptr; ++member) {
    if (name != *member) return false;
  }
  return true;
}

// They refuse leases also for want of a server's promise.
bool is_network_file_system(std::uint32_t type) {
  return type == kNfs || type == kSmb || type == kCifs || type == kSmb2;
}

bool writable_by_others(const struct stat& info) {
  return (info.st_mode & S_IWOTH) != 0 || ((info.st_mode & S_IWGRP) != 0 && !is_private_group(info.st_gid));
}

// Whether `place` and all folders up to `top` (else up to the root) are safe from others.
bool is_guarded(std::filesystem::path place, const std::filesystem::path& top) {
  struct stat info{};
  const uid_t program = ::stat("/proc/self/exe", &info) == 0 ? info.st_uid : 0;
  for (;; place = place.parent_path()) {
    if (::lstat(place.c_str(), &info) != 0) return false;
    // In a folder like /tmp others may add what is theirs, no more; a link's own permissions mean nothing.
    const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
    if (!sticky && !S_ISLNK(info.st_mode) && writable_by_others(info)) return false;
    if (place == top) return true;
    if (info.st_uid != 0 && info.st_uid != ::geteuid() && info.st_uid != program) return false;
    if (place == place.parent_path()) return true;
  }
}

}  // namespace

bool others_may_write(const struct stat& info) {
  return (info.st_uid != 0 && info.st_uid != ::geteuid()) || writable_by_others(info);
}

// The kernel gives a lease for reading only on a file that nobody has open for writing; a mapping counts as
// open.
std::optional<bool> is_open_for_writing(int fd) {
  struct statfs info{};
  if (::fstatfs(fd, &info) != 0 || is_network_file_system(static_cast<std::uint32_t>(info.f_type)))
    return std::nullopt;
  // Who opens it in the moment that the lease lasts makes the kernel send a signal: SIGURG does nothing by
  // itself.
  if (::fcntl(fd, F_SETSIG, SIGURG) != 0) return std::nullopt;
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
    return errno == EAGAIN ? std::optional<bool>(true) : std::nullopt;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

bool others_may_choose(const std::filesystem::path& base, const std::filesystem::path& relative) {
  std::error_code error;
  const std::filesystem::path top = std::filesystem::canonical(base, error);
  if (error) return true;
  const std::filesystem::path target = std::filesystem::canonical(top / relative, error);
  return error || !is_guarded((top / relative).lexically_normal(), top) || !is_guarded(target, top);
}

}  // namespace sealite

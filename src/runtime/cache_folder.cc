#include "runtime/cache_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <vector>

#include "base/atomic_file.h"
#include "base/context.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "runtime/content_hash.h"
#include "runtime/stamped_note.h"
#include "sealite/weight_cache.h"

namespace sealite::runtime {
namespace {

constexpr std::uint64_t kUsualCap = std::uint64_t{8} << 30U;
constexpr std::int64_t kSecond = 1'000'000'000;
// Clocks of file systems tick every few milliseconds to two seconds. A model's may be another than the
// note's, so its margin is the longest; the packed weights lie beside their note.
constexpr std::int64_t kModelMargin = 2 * kSecond;
constexpr std::int64_t kWeightsMargin = 0;
constexpr std::chrono::milliseconds kTick{20};
constexpr auto kForgottenAfter = std::chrono::hours(24 * 90);

std::string environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value != nullptr ? value : "";
}

// A number of bytes, perhaps with K, M, G or T behind it (powers of 1024).
std::uint64_t wanted_cap() {
  const std::string text = environment("SEALITE_CACHE_SIZE");
  if (text.empty()) return kUsualCap;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  constexpr std::string_view kUnits = "KMGT";
  if (error == std::errc() && end - rest == 1) {
    if (const auto unit = kUnits.find(*rest); unit != std::string_view::npos && number < (1U << 20U)) {
      number <<= 10U * (unit + 1);
      ++rest;
    }
  }
  if (error != std::errc() || rest != end) {
    fail(ErrorCode::kUsage,
         "$SEALITE_CACHE_SIZE: '{}' is no size: write a number of bytes, or with a unit: 500M, 8G", text);
  }
  return number;
}

// Makes the folder, for its owner alone. What lies there is believed, so nobody else may write there, nor
// choose by a link which of this user's folders it is.
FileDescriptor open_private_folder(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  ::mkdir(path.c_str(), S_IRWXU);
  struct stat name{};
  if (::lstat(path.c_str(), &name) != 0 || (name.st_uid != ::geteuid() && name.st_uid != 0)) return {};
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info{};
  const bool is_private = folder && ::fstat(folder.get(), &info) == 0 && info.st_uid == ::geteuid() &&
                          (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  return is_private ? std::move(folder) : FileDescriptor();
}

// Errors of files mean that there is no cache; being interrupted, or out of memory, is not its business.
template <typename Body>
bool works(Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (is_cancellation(error.code())) throw;
    return false;
  } catch (const std::filesystem::filesystem_error&) {
    return false;
  }
}

FileDescriptor try_lock(const std::filesystem::path& path) {
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return lock;
}

struct StoredFile {
  std::filesystem::path weights;
  std::filesystem::path note;
  std::uint64_t size = 0;
  std::filesystem::file_time_type used;
};

bool is_leftover(const std::filesystem::directory_entry& entry, std::filesystem::file_time_type now) {
  const std::filesystem::path& path = entry.path();
  std::error_code error;
  const auto age = now - entry.last_write_time(error);
  if (path.extension() == ".partial") {  // of a killed process, surely so where only the lock's holder writes
    return path.string().find(".weights.") != std::string::npos || age > std::chrono::hours(1);
  }
  if (path.extension() == ".sum")
    return !std::filesystem::exists(std::filesystem::path(path).replace_extension(".weights"), error);
  return path.extension() == ".model" && age > kForgottenAfter;
}

// The folder's packed weights; what is of no use any more is removed. Under the lock.
std::vector<StoredFile> tidy(const std::filesystem::path& folder) {
  std::vector<StoredFile> found;
  const auto now = std::filesystem::file_time_type::clock::now();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (is_leftover(entry, now)) std::filesystem::remove(entry.path(), error);
    if (entry.path().extension() != ".weights") continue;
    StoredFile file{entry.path(), std::filesystem::path(entry.path()).replace_extension(".sum"), 0, {}};
    file.used = std::filesystem::last_write_time(file.note, error);
    if (error) {  // never finished
      std::filesystem::remove(file.weights, error);
      continue;
    }
    file.size = entry.file_size(error);
    found.push_back(file);
  }
  std::ranges::sort(found, {}, &StoredFile::used);
  return found;
}

// The packed weights' length and hash, while `take` gets their pieces.
template <typename Take>
std::string read_all(int packed, std::uint64_t size, Take&& take) {
  PieceDigest digest(size);
  std::vector<std::byte> buffer(PieceDigest::kPieceBytes);
  for (std::size_t i = 0; i < digest.pieces(); ++i) {
    check_cancelled();
    const std::uint64_t start = digest.offset(i);
    const std::size_t piece = digest.length(i);
    for (std::size_t done = 0; done < piece;) {
      const ssize_t got = ::pread(packed, &buffer[done], piece - done, static_cast<off_t>(start + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail(ErrorCode::kIo, "cannot read the packed weights");
      done += static_cast<std::size_t>(got);
    }
    digest.take(i, {buffer.data(), piece});
    take(start, ByteView(buffer.data(), piece));
  }
  return to_hex(digest.digest());
}

}  // namespace

std::optional<CacheFolder> CacheFolder::locate(const std::filesystem::path& wanted) {
  const std::uint64_t cap = wanted_cap();
  if (wanted.empty()) return std::nullopt;
  FileDescriptor folder = open_private_folder(wanted);
  if (!folder) return std::nullopt;
  return CacheFolder(std::move(folder), cap);
}

std::filesystem::path CacheFolder::file(const std::string& key, const char* extension) const {
  return path_ / (key + extension);
}

FileDescriptor CacheFolder::find(const std::string& key) const {
  const auto note_path = file(key, ".sum");
  FileDescriptor weights(::open(file(key, ".weights").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const auto stamp = weights ? FileStamp::of(weights.get()) : std::nullopt;
  if (!stamp) return {};
  const auto note = read_note(note_path, *stamp, kWeightsMargin);
  if (!note) return {};
  const bool whole = note->holds || works([&] {
                       const MappedFile mapped(fmt::format("/proc/self/fd/{}", weights.get()));
                       return content_hash(mapped) == note->hash;
                     });
  if (!whole) return {};
  if (note->holds) {
    ::utimensat(AT_FDCWD, note_path.c_str(), nullptr, 0);  // used now; the weights' own times must not move
  } else {
    works([&] {
      write_note(note_path, *stamp, note->hash);
      return true;
    });
  }
  return weights;
}

bool CacheFolder::writable() const {
  return ::access(path_.c_str(), W_OK | X_OK) == 0;
}

bool CacheFolder::make_room(std::uint64_t size) const {
  const std::vector<StoredFile> stored = tidy(path_);
  std::uint64_t total = 0;
  for (const StoredFile& one : stored) total += one.size;
  const std::uint64_t limit = std::min(cap_, (std::filesystem::space(path_).available + total) / 4);
  if (size > limit) return false;
  std::error_code error;
  for (const StoredFile& oldest : stored) {
    if (total + size <= limit) break;
    std::filesystem::remove(oldest.note, error);
    std::filesystem::remove(oldest.weights, error);
    total -= oldest.size;
  }
  return true;
}

bool CacheFolder::copy(const std::string& key, int packed) const {
  const auto size = FileStamp::of(packed).value_or(FileStamp{}).size;
  const auto weights = file(key, ".weights");
  const auto note = file(key, ".sum");
  std::error_code error;
  std::filesystem::remove(note, error);  // a damaged file and its note count for nothing
  std::filesystem::remove(weights, error);
  if (size == 0 || !make_room(size)) return false;
  AtomicFile out(weights);
  out.reserve(size);
  const std::string hash =
      read_all(packed, size, [&](std::uint64_t offset, ByteView piece) { out.write(offset, piece); });
  out.commit();
  const FileDescriptor written(::open(weights.c_str(), O_RDONLY | O_CLOEXEC));
  // XNNPACK, which writes into a file that it does not like, must not write into this one.
  if (!written || ::fchmod(written.get(), S_IRUSR) != 0) return false;
  const auto stamp = FileStamp::of(written.get());
  if (!stamp) return false;
  std::this_thread::sleep_for(kTick);  // so that the note is surely the younger one
  write_note(note, *stamp, hash);
  return true;
}

bool CacheFolder::store(const std::string& key, int packed) const {
  const FileDescriptor lock = try_lock(path_ / "lock");
  if (!lock) return false;
  if (find(key)) return true;  // another process was faster
  if (works([&] { return copy(key, packed); })) return true;
  std::error_code error;
  std::filesystem::remove(file(key, ".weights"), error);
  return false;
}

std::optional<std::string> CacheFolder::recall(const FileStamp& model) const {
  const std::string name = text_hash(fmt::format("{} {}", model.device, model.inode));
  const auto note = read_note(file(name, ".model"), model, kModelMargin);
  if (!note || !note->holds) return std::nullopt;
  return note->hash;
}

void CacheFolder::remember(const FileStamp& model, const std::string& hash) const {
  const std::string name = text_hash(fmt::format("{} {}", model.device, model.inode));
  works([&] {
    write_note(file(name, ".model"), model, hash);
    return true;
  });
}

}  // namespace sealite::runtime

namespace sealite {

std::filesystem::path user_cache_folder() {
  if (const std::string own = runtime::environment("SEALITE_CACHE_DIR"); !own.empty()) return own;
  // Both have to be absolute: a cache in whatever folder the program is started in would be a surprise.
  if (const std::filesystem::path caches = runtime::environment("XDG_CACHE_HOME"); caches.is_absolute())
    return caches / "sealite";
  if (const std::filesystem::path home = runtime::environment("HOME"); home.is_absolute())
    return home / ".cache" / "sealite";
  return {};
}

}  // namespace sealite

#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/memory_limit.h"
#include "base/ownership.h"

namespace sealite {
namespace {

// 4 KiB on x86, up to 64 KiB on other processors.
std::uintptr_t page_size() {
  static const auto kSize = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

constexpr std::size_t kCopyPiece = std::size_t{1} << 26U;

}  // namespace

// A regular file and what the file system says of it.
struct MappedFile::OpenFile {
  // O_NONBLOCK: opening a named pipe must not wait for a writer (it is refused below); files ignore it.
  explicit OpenFile(const std::filesystem::path& name)
      : OpenFile(FileDescriptor(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)), name) {}
  OpenFile(FileDescriptor opened, const std::filesystem::path& name) : path(name), fd(std::move(opened)) {
    if (!fd) {
      const int error = errno;
      const bool refused = error == EACCES || error == EPERM;
      fail(refused ? ErrorCode::kIo : ErrorCode::kNotFound, "cannot open '{}': {}", path.string(),
           std::strerror(error));
    }
    if (::fstat(fd.get(), &info) != 0)
      fail(ErrorCode::kIo, "cannot stat '{}': {}", path.string(), std::strerror(errno));
    if (S_ISDIR(info.st_mode))
      fail(ErrorCode::kNotFound, "'{}' is a folder, not a regular file", path.string());
    if (!S_ISREG(info.st_mode)) fail(ErrorCode::kNotFound, "'{}' is not a regular file", path.string());
    if (const auto found = FileStamp::of(fd.get())) stamp = *found;
  }
  std::size_t size() const { return static_cast<std::size_t>(info.st_size); }

  std::filesystem::path path;
  FileDescriptor fd;
  struct stat info{};
  FileStamp stamp;
};

namespace {

// mmap, of nothing where there is nothing.
template <typename OpenFile>
MutableByteView map_pages(const OpenFile& file, int protection, int flags, int fd) {
  if (file.size() == 0) return {};
  void* address = ::mmap(nullptr, file.size(), protection, flags, fd, 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    if (error == ENOMEM) {
      fail(ErrorCode::kNoMemory, "cannot map '{}': not enough memory, or a limit on it", file.path.string());
    }
    fail(ErrorCode::kIo, "cannot map '{}': {}", file.path.string(), std::strerror(error));
  }
  return {static_cast<std::byte*>(address), file.size()};
}

template <typename OpenFile>
void read_all(const OpenFile& file, MutableByteView pages) {
  for (std::size_t done = 0; done < pages.size();) {
    check_cancelled();
    const std::size_t wanted = std::min(pages.size() - done, kCopyPiece);
    const ssize_t got = ::pread(file.fd.get(), &pages[done], wanted, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(ErrorCode::kIo, "cannot read '{}': {}", file.path.string(),
           got == 0 ? "it became shorter meanwhile" : std::strerror(errno));
    }
    done += static_cast<std::size_t>(got);
  }
}

// A copy in memory takes what a mapped file does not.
template <typename OpenFile>
void check_limit(const OpenFile& file) {
  const auto limit = memory_limit();  // it does not count shared pages
  if (!limit || file.size() <= *limit) return;
  fail(
      ErrorCode::kNoMemory,
      "'{}', {} bytes, has to be read into memory, as others may write to it, and the limit is {} bytes; let "
      "nobody else write to it (chmod go-w), to have it mapped",
      file.path.string(), file.size(), *limit);
}

// The whole pages inside [begin, end), or the pages it touches.
void advise(ByteView view, int advice, bool only_whole_pages) {
  auto begin = reinterpret_cast<std::uintptr_t>(view.data());
  auto end = begin + view.size();
  const std::uintptr_t page = page_size();
  begin = only_whole_pages ? align_up(begin, page) : begin / page * page;
  if (only_whole_pages) end = end / page * page;
  if (begin >= end) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): madvise wants the page's address
  auto* first_page = reinterpret_cast<void*>(begin);
  (void)::madvise(first_page, end - begin, advice);  // only advice: a failure changes speed, never results
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const OpenFile file(path);
  stamp_ = file.stamp;
  bytes_ = map_pages(file, PROT_READ, MAP_PRIVATE, file.fd.get());
}

MappedFile MappedFile::settled(const std::filesystem::path& path) {
  return settle(OpenFile(path));  // its stamp first: who opens it for writing later will change that
}

MappedFile MappedFile::settled(int descriptor, const std::string& name) {
  return settle(OpenFile(FileDescriptor(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)), name));
}

MappedFile MappedFile::borrowed(ByteView bytes, const std::string& name) {
  MappedFile file;
  file.path_ = name;
  file.bytes_ = bytes;
  file.borrowed_ = true;
  return file;
}

MappedFile MappedFile::copy_of(ByteView bytes, std::size_t zeros, const std::string& name) {
  MappedFile file = filled(bytes.size() + zeros, name, [&](MutableByteView memory) {
    if (!bytes.empty()) std::memcpy(memory.data(), bytes.data(), bytes.size());
  });
  file.bytes_ = file.bytes_.first(bytes.size());
  file.padding_ = zeros;
  return file;
}

MappedFile MappedFile::filled(std::uint64_t size, const std::string& name,
                              const std::function<void(MutableByteView)>& fill) {
  MappedFile file;
  file.path_ = name;
  file.copied_ = true;
  if (size == 0) return file;
  // Shared: private memory would be zeros again once it was released.
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) fail(ErrorCode::kNoMemory, "'{}': not enough memory for a copy", name);
  const MutableByteView memory{static_cast<std::byte*>(address), size};
  file.bytes_ = memory;  // whose end unmaps it, whatever `fill` does
  fill(memory);
  return file;
}

MappedFile MappedFile::settle(const OpenFile& file) {
  const std::optional<bool> writers = is_open_for_writing(file.fd.get());
  MappedFile settled;
  settled.path_ = file.path;
  settled.stamp_ = file.stamp;
  settled.copied_ = others_may_write(file.info) || writers.value_or(false);
  const bool roots = file.info.st_uid == 0;  // the lease is only given to the owner, but root is trusted
  settled.stamp_is_sure_ =
      !settled.copied_ && (writers.has_value() || roots) && stamps_show_mapped_writes(file.fd.get());
  if (!settled.copied_) {
    settled.bytes_ = map_pages(file, PROT_READ, MAP_PRIVATE, file.fd.get());
    return settled;
  }
  check_limit(file);
  // Shared, though with nobody: `release_pages` drops private memory's pages for good, and only hides these.
  const MutableByteView pages = map_pages(file, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
  settled.bytes_ = pages;
  read_all(file, pages);
  if (!pages.empty()) ::mprotect(pages.data(), pages.size(), PROT_READ);
  return settled;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty() && !borrowed_)
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size() + padding_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      stamp_(other.stamp_),
      bytes_(std::exchange(other.bytes_, {})),
      stamp_is_sure_(other.stamp_is_sure_),
      copied_(other.copied_),
      borrowed_(other.borrowed_),
      padding_(other.padding_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(stamp_, other.stamp_);
  std::swap(bytes_, other.bytes_);
  std::swap(stamp_is_sure_, other.stamp_is_sure_);
  std::swap(copied_, other.copied_);
  std::swap(borrowed_, other.borrowed_);
  std::swap(padding_, other.padding_);
  return *this;
}

void MappedFile::release(ByteView view) const {
  if (!borrowed_) release_pages(view);
}

void prefetch_pages(ByteView view) {
#ifdef MADV_POPULATE_READ
  advise(view, MADV_POPULATE_READ, false);
#else
  advise(view, MADV_WILLNEED, false);
#endif
}

void release_pages(ByteView view) {
  advise(view, MADV_DONTNEED, true);
}

}  // namespace sealite

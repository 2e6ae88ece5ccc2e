#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace sealite {
namespace {

// 4 KiB on x86, up to 64 KiB on other processors.
std::uintptr_t page_size() {
  static const auto kSize = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

// O_NONBLOCK: opening a named pipe must not wait for a writer (it is refused below); files ignore it.
FileDescriptor open_file(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) fail(ErrorCode::kNotFound, "cannot open '{}': {}", path.string(), std::strerror(errno));
  return file;
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
  const FileDescriptor file = open_file(path);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) {
    fail(ErrorCode::kIo, "cannot stat '{}': {}", path.string(), std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) fail(ErrorCode::kNotFound, "'{}' is not a regular file", path.string());
  if (const auto stamp = FileStamp::of(file.get())) stamp_ = *stamp;
  if (info.st_size == 0) return;
  const auto size = static_cast<std::size_t>(info.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    if (error == ENOMEM) {
      fail(ErrorCode::kNoMemory, "cannot map '{}': not enough memory, or a limit on it", path.string());
    }
    fail(ErrorCode::kIo, "cannot map '{}': {}", path.string(), std::strerror(error));
  }
  bytes_ = ByteView(static_cast<const std::byte*>(address), size);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), stamp_(other.stamp_), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(stamp_, other.stamp_);
  std::swap(bytes_, other.bytes_);
  return *this;
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

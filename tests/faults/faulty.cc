// Preloaded into sealite (LD_PRELOAD), this makes one chosen call of the C library fail, or that one and all
// after it.
//
//   SEALITE_FAULT="CALL KIND N [on]"   the N-th CALL (from 0) fails; with "on" all later ones too
//     CALL  a name of kCallNames
//     KIND  ENOSPC, EIO, EINTR, ENOMEM, EAGAIN; SHORT: half of the bytes are written (pwrite and write only)
//   SEALITE_FAULT_NO_TMPFILE=1         the file system knows no files without a name
//   SEALITE_FAULT_REPORT=FILE          gets "hit 0|1" and "CALL COUNT" lines when main has returned
//
// Only what happens inside main counts: before it, the constructors of libraries (GLib's) run, which no
// program can guard. Calls that the C library makes of its own (a thread's stack, fwrite's write) do not come
// by here; standard output and error are therefore streams of ours.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

enum Call : int {
  kPwrite,
  kWrite,
  kTruncate,
  kReserve,
  kSync,
  kClose,
  kLink,
  kRename,
  kOpen,
  kMemoryFile,
  kStdout,
  kStderr,
  kAllocate,
  kMap,
  kThread,
  kCallCount
};
// "open" is for writing; "write" is not to the standard streams.
constexpr const char* kCallNames[kCallCount] = {"pwrite", "write",  "ftruncate", "fallocate", "fsync",
                                                "close",  "linkat", "rename",    "open",      "memfd_create",
                                                "stdout", "stderr", "alloc",     "mmap",      "thread"};

struct Kind {
  const char* name;
  int error;  // 0: a short write
};
constexpr Kind kKinds[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR},
                           {"ENOMEM", ENOMEM}, {"EAGAIN", EAGAIN}, {"SHORT", 0}};

struct Plan {
  int call = -1;
  int error = 0;
  long first = 0;
  bool on = false;
};

Plan plan;
bool no_tmpfile = false;
std::atomic<bool> in_main{false};
std::atomic<bool> hit{false};
std::atomic<long> counts[kCallCount];

bool strikes(Call call) {
  if (!in_main.load(std::memory_order_relaxed)) return false;
  const long number = counts[call]++;
  if (call != plan.call || number < plan.first || (number > plan.first && !plan.on)) return false;
  hit = true;
  return true;
}

// Whether this call fails; errno is set then. A short write is no failure.
bool fails(Call call) {
  if (!strikes(call) || plan.error == 0) return false;
  errno = plan.error;
  return true;
}

// How much is to be written: all, half, or -1 for a failure.
ssize_t part_to_write(Call call, std::size_t size) {
  if (!strikes(call)) return static_cast<ssize_t>(size);
  if (plan.error == 0) return static_cast<ssize_t>((size + 1) / 2);
  errno = plan.error;
  return -1;
}

[[noreturn]] void refuse(const char* what) {
  ::dprintf(STDERR_FILENO, "faulty: cannot understand SEALITE_FAULT: %s\n", what);
  ::_exit(99);
}

void read_plan() {
  no_tmpfile = std::getenv("SEALITE_FAULT_NO_TMPFILE") != nullptr;
  const char* text = std::getenv("SEALITE_FAULT");
  if (text == nullptr) return;
  char call[32];
  char kind[32];
  char on[8] = "";
  if (std::sscanf(text, "%31s %31s %ld %7s", call, kind, &plan.first, on) < 3) refuse(text);
  for (int i = 0; i < kCallCount; ++i) {
    if (std::strcmp(call, kCallNames[i]) == 0) plan.call = i;
  }
  bool known = false;
  for (const Kind& one : kKinds) {
    if (std::strcmp(kind, one.name) != 0) continue;
    plan.error = one.error;
    known = true;
  }
  plan.on = std::strcmp(on, "on") == 0;
  if (plan.call < 0 || !known) refuse(text);
}

void write_report() {
  const char* path = std::getenv("SEALITE_FAULT_REPORT");
  if (path == nullptr) return;
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) refuse(path);
  std::fprintf(file, "hit %d\n", hit ? 1 : 0);
  for (int i = 0; i < kCallCount; ++i) std::fprintf(file, "%s %ld\n", kCallNames[i], counts[i].load());
  std::fclose(file);
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

ssize_t write_stdout(void*, const char* data, std::size_t size) {
  return fails(kStdout) ? 0 : ::write(STDOUT_FILENO, data, size);
}

ssize_t write_stderr(void*, const char* data, std::size_t size) {
  return fails(kStderr) ? 0 : ::write(STDERR_FILENO, data, size);
}

// Buffered as the real ones are: stdout in blocks, stderr not at all.
std::FILE* own_stream(cookie_write_function_t* write_out, int mode) {
  std::FILE* stream = ::fopencookie(nullptr, "w", {nullptr, write_out, nullptr, nullptr});
  std::setvbuf(stream, nullptr, mode, BUFSIZ);
  return stream;
}

using Main = int(int, char**, char**);
Main* real_main = nullptr;

int guarded_main(int argc, char** argv, char** environment) {
  read_plan();
  stdout = own_stream(write_stdout, _IOFBF);
  stderr = own_stream(write_stderr, _IONBF);
  in_main = true;
  const int status = real_main(argc, argv, environment);
  in_main = false;
  write_report();
  return status;
}

bool is_standard(int fd) {
  return fd == STDOUT_FILENO || fd == STDERR_FILENO;
}

bool opens_for_writing(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  static auto* const next = real<int(int, const char*, int, ...)>("openat64");
  if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  if (opens_for_writing(flags) && fails(kOpen)) return -1;
  return next(folder, path, flags, mode);
}

mode_t mode_of(int flags, std::va_list words) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(words, mode_t) : 0;
}

}  // namespace

extern "C" {

int __libc_start_main(Main* main, int argc, char** argv, void (*init)(), void (*fini)(), void (*rtld_fini)(),
                      void* stack_end) {
  real_main = main;
  using Start = int(Main*, int, char**, void (*)(), void (*)(), void (*)(), void*);
  return real<Start>("__libc_start_main")(guarded_main, argc, argv, init, fini, rtld_fini, stack_end);
}

void* malloc(std::size_t size) noexcept {
  return fails(kAllocate) ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails(kAllocate) ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return fails(kAllocate) ? nullptr : __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return fails(kAllocate) ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return fails(kAllocate) ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  if (fails(kAllocate)) return ENOMEM;
  *result = __libc_memalign(alignment, size);
  return *result != nullptr ? 0 : ENOMEM;
}

void* mmap(void* address, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  static auto* const next = real<void*(void*, std::size_t, int, int, int, off_t)>("mmap");
  return fails(kMap) ? MAP_FAILED : next(address, size, protection, flags, fd, offset);
}
void* mmap64(void* address, std::size_t size, int protection, int flags, int fd, off64_t offset) noexcept {
  return mmap(address, size, protection, flags, fd, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static auto* const next =
      real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return fails(kThread) ? EAGAIN : next(thread, attributes, start, argument);
}

ssize_t write(int fd, const void* data, std::size_t size) {
  static auto* const next = real<ssize_t(int, const void*, std::size_t)>("write");
  if (is_standard(fd)) return next(fd, data, size);
  const ssize_t part = part_to_write(kWrite, size);
  return part < 0 ? -1 : next(fd, data, static_cast<std::size_t>(part));
}
ssize_t writev(int fd, const iovec* pieces, int count) {
  static auto* const next = real<ssize_t(int, const iovec*, int)>("writev");
  if (is_standard(fd) || count == 0) return next(fd, pieces, count);
  const ssize_t part = part_to_write(kWrite, static_cast<std::size_t>(count));
  return part < 0 ? -1 : next(fd, pieces, static_cast<int>(part));
}
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset) {
  static auto* const next = real<ssize_t(int, const void*, std::size_t, off_t)>("pwrite");
  const ssize_t part = part_to_write(kPwrite, size);
  return part < 0 ? -1 : next(fd, data, static_cast<std::size_t>(part), offset);
}
ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t offset) {
  return pwrite(fd, data, size, offset);
}

int ftruncate(int fd, off_t size) noexcept {
  static auto* const next = real<int(int, off_t)>("ftruncate");
  return fails(kTruncate) ? -1 : next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return ftruncate(fd, size);
}
int posix_fallocate(int fd, off_t offset, off_t size) {
  static auto* const next = real<int(int, off_t, off_t)>("posix_fallocate");
  return fails(kReserve) ? plan.error : next(fd, offset, size);
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return posix_fallocate(fd, offset, size);
}
int fsync(int fd) {
  static auto* const next = real<int(int)>("fsync");
  return fails(kSync) ? -1 : next(fd);
}
// As Linux does it: the descriptor is gone even so.
int close(int fd) {
  static auto* const next = real<int(int)>("close");
  const bool failed = fails(kClose);
  const int status = next(fd);
  if (!failed) return status;
  errno = plan.error;
  return -1;
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  static auto* const next = real<int(int, const char*, int, const char*, int)>("linkat");
  return fails(kLink) ? -1 : next(from_folder, from, to_folder, to, flags);
}
int rename(const char* from, const char* to) noexcept {
  static auto* const next = real<int(const char*, const char*)>("rename");
  return fails(kRename) ? -1 : next(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static auto* const next = real<int(int, const char*, int, const char*)>("renameat");
  return fails(kRename) ? -1 : next(from_folder, from, to_folder, to);
}
int memfd_create(const char* name, unsigned int flags) noexcept {
  static auto* const next = real<int(const char*, unsigned int)>("memfd_create");
  return fails(kMemoryFile) ? -1 : next(name, flags);
}

int open(const char* path, int flags, ...) {
  std::va_list words;
  va_start(words, flags);
  const mode_t mode = mode_of(flags, words);
  va_end(words);
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  std::va_list words;
  va_start(words, flags);
  const mode_t mode = mode_of(flags, words);
  va_end(words);
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  std::va_list words;
  va_start(words, flags);
  const mode_t mode = mode_of(flags, words);
  va_end(words);
  return open_at(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  std::va_list words;
  va_start(words, flags);
  const mode_t mode = mode_of(flags, words);
  va_end(words);
  return open_at(folder, path, flags, mode);
}

}  // extern "C"

#include "runtime/litert_stderr.h"

#include "base/context.h"
#include "base/library_stderr.h"

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <string_view>

namespace sealite::runtime {
namespace {

FILE* stream = nullptr;  // NOLINT: what LiteRT sees as the variable `stderr`

ssize_t on_write(void* /*cookie*/, const char* text, std::size_t size) {
  if (!in_context()) return ::write(STDERR_FILENO, text, size);
  std::string_view rest(text, size);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    log_line(LogLevel::kInfo, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

void redirect_litert_stderr(void* handle) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  link_map* library = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&library)) != 0) return;
  if (stream == nullptr) {
    FILE* const made = ::fopencookie(nullptr, "w", {nullptr, on_write, nullptr, nullptr});
    if (made == nullptr) return;
    std::setvbuf(made, nullptr, _IOLBF, BUFSIZ);
    stream = made;
  }
  redirect_stderr(*library, &stream);
}

}  // namespace sealite::runtime

#else

namespace sealite::runtime {

void redirect_litert_stderr(void* /*handle*/) {}

}  // namespace sealite::runtime

#endif

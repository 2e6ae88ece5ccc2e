#include "cli/no_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "base/failed_allocation.h"
#include "base/memory_limit.h"

namespace sealite::cli {
namespace {

// NOLINTBEGIN: a signal's handler gets nothing else
bool limit_is_an_option = false;
int error_output = STDERR_FILENO;  // a copy: whatever a library does with that number
// NOLINTEND

// Text that needs no memory; what does not fit is left out.
struct Line {
  std::array<char, 400> text{};
  std::size_t size = 0;

  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    const std::size_t room = text.size() - size;
    size +=
        std::min(room, fmt::format_to_n(text.data() + size, room, format, std::forward<Args>(args)...).size);
  }
};

void add_bytes(Line& line, std::uint64_t bytes) {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
  if (bytes < kMebibyte) {
    line.add("{} bytes", bytes);
  } else {
    line.add("{:.2f} MiB", static_cast<double>(bytes) / static_cast<double>(kMebibyte));
  }
}

void add_memory(Line& line) {
  if (failed_allocation() != 0) {
    line.add("; no room for another ");
    add_bytes(line, failed_allocation());
  }
  if (const auto limit = memory_limit()) {
    line.add("; the limit is ");
    add_bytes(line, *limit);
    line.add(" ({})", limit_is_an_option ? "--max-memory" : "ulimit");
  }
}

// A file that is not complete has no name, so nothing is left behind.
extern "C" void on_abort(int signal) {
  if (errno != ENOMEM) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  print_no_memory(": a library stopped");
  ::_exit(static_cast<int>(ErrorCode::kNoMemory));
}

}  // namespace

std::string message_of(const Error& error) {
  if (error.code() != ErrorCode::kNoMemory) return error.what();
  Line line;
  add_memory(line);
  return error.what() + std::string(line.text.data(), line.size);
}

void print_no_memory(const char* what) noexcept {
  Line line;
  line.add("sealite: error: out of memory{}", what);
  add_memory(line);
  line.add("\n");
  [[maybe_unused]] const ssize_t ignored = ::write(error_output, line.text.data(), line.size);
}

void catch_aborts() {
  const int copy = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy >= 0) error_output = copy;
  std::signal(SIGABRT, on_abort);
  std::signal(SIGTRAP, on_abort);
}

void name_limit_after_option() {
  limit_is_an_option = true;
}

}  // namespace sealite::cli

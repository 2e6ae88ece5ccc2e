#include "cli/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/no_memory.h"
#include "cli/program_context.h"

namespace sealite::cli {
namespace {

void limit_memory(std::uint64_t bytes) {
  // Private writable memory: the heap, stacks, what libraries map for themselves. RLIMIT_AS would count a
  // mapped checkpoint, whose pages the kernel may take back at any time.
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
  if (::setrlimit(RLIMIT_DATA, &limit) != 0)
    fail(ErrorCode::kUsage, "--max-memory: {}", std::strerror(errno));
  if (limit.rlim_cur == bytes) name_limit_after_option();
}

}  // namespace

void add_limit_options(CLI::App& command, Limits& limits) {
  command
      .add_option("--max-memory", limits.memory,
                  "Take no more memory than this, e.g. 500M, else exit status 71; pages of mapped files do "
                  "not count")
      ->transform(CLI::AsSizeValue(false))
      ->transform(CLI::Validator(
          [](std::string& text) { return text.find('-') == std::string::npos ? "" : "not a size: " + text; },
          ""))
      ->check(CLI::PositiveNumber)
      ->option_text("SIZE")
      ->group("Limits");
  command.add_option("--workers", limits.workers, "Threads for all but inference (default: processors)")
      ->check(CLI::Range(1, 256))
      ->group("Limits");
  command.add_option("--timeout", limits.seconds, "Stop after so many seconds with exit status 75")
      ->check(CLI::Range(0.001, 1e9))
      ->option_text("SECONDS")
      ->group("Limits");
}

void add_pixel_limit(CLI::App& command, std::uint64_t& max_pixels) {
  command
      .add_option("--max-pixels", max_pixels,
                  "Refuse larger pictures by their header, before anything is decoded")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group("Limits");
}

void apply_limits(const Limits& limits) {
  if (limits.memory != 0) limit_memory(limits.memory);
  if (limits.workers != 0) set_workers(limits.workers);
  if (limits.seconds != 0)
    end_after(limits.seconds, fmt::format("stopped after {} s (--timeout)", limits.seconds));
}

}  // namespace sealite::cli

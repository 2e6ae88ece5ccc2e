#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/utf8.h"

namespace sealite {

Progress::Progress(std::string_view what, std::uint64_t total)
    : what_(shown(what)), total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::advance(std::uint64_t amount) {
  const std::uint64_t done = done_ += amount;
  if (!terminal_ || total_ == 0) return;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_).count();
  std::int64_t due = next_draw_ms_;
  if (elapsed < due || !next_draw_ms_.compare_exchange_strong(due, elapsed + 100)) return;
  drawn_ = true;
  const double left =
      static_cast<double>(elapsed) / 1000 * (static_cast<double>(total_) / static_cast<double>(done) - 1);
  // Not fmt::print, which throws when the terminal is gone.
  std::fputs(fmt::format("\r{}  {:3} %  {} s, about {:.0f} s left\033[K", what_, done * 100 / total_,
                         elapsed / 1000, left)
                 .c_str(),
             stderr);
}

}  // namespace sealite

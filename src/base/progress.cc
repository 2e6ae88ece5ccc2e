#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "base/utf8.h"

namespace sealite {
namespace {

constexpr auto kFirst = std::chrono::seconds(1);
constexpr auto kEvery = std::chrono::milliseconds(200);

}  // namespace

Progress::Progress(std::string_view what, std::uint64_t total) : what_(shown(what)), total_(total) {
  if (::isatty(STDERR_FILENO) != 1) return;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { redraw(stop); });
  } catch (const std::system_error&) {
    thread_ = {};  // no more threads: the work goes on without its line
  }
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  take_away();
}

void Progress::rename(std::string_view what) {
  const std::scoped_lock lock(mutex_);
  what_ = shown(what);
}

void Progress::pause(const std::function<void()>& print) {
  const std::scoped_lock lock(mutex_);
  take_away();
  print();
}

void Progress::redraw(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto stopped = [&] { return stop.stop_requested(); };
  for (auto wait = std::chrono::milliseconds(kFirst); !wake_.wait_for(lock, stop, wait, stopped);
       wait = kEvery) {
    drawn_ = true;
    // Not fmt::print, which throws when the terminal is gone.
    std::fputs(fmt::format("\r{}\033[K", line()).c_str(), stderr);
  }
}

std::string Progress::line() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::string time = fmt::format("{:.0f} s", elapsed);
  if (total_ == 0) return fmt::format("{}  {}", what_, time);
  const std::uint64_t done = done_;
  std::string share = fmt::format("{}  {:3} %  {}", what_, done * 100 / total_, time);
  if (done == 0) return share;
  return fmt::format("{}, about {:.0f} s left", share,
                     elapsed * (static_cast<double>(total_) / static_cast<double>(done) - 1));
}

void Progress::take_away() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace sealite

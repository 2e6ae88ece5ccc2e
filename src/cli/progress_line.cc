#include "cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "base/utf8.h"

namespace sealite::cli {
namespace {

constexpr double kFirst = 1;  // seconds
constexpr auto kEvery = std::chrono::milliseconds(200);

}  // namespace

ProgressLine::ProgressLine() {
  if (::isatty(STDERR_FILENO) != 1) return;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { redraw(stop); });
  } catch (const std::system_error&) {
    thread_ = {};  // no more threads: the work goes on without its line
  }
}

ProgressLine::~ProgressLine() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  take_away();
}

void ProgressLine::show(std::string_view step, std::uint64_t done, std::uint64_t total) {
  const std::scoped_lock lock(mutex_);
  if (const std::string next = shown(step); next != step_) {
    take_away();
    step_ = next;
    step_time_ = {};
  }
  done_ = done;
  total_ = total;
}

void ProgressLine::pause(const std::function<void()>& print) {
  const std::scoped_lock lock(mutex_);
  take_away();
  print();
}

void ProgressLine::redraw(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto stopped = [&] { return stop.stop_requested(); };
  while (!wake_.wait_for(lock, stop, kEvery, stopped)) {
    if (step_.empty() || step_time_.seconds() < kFirst) continue;
    drawn_ = true;
    // Not fmt::print, which throws when the terminal is gone.
    std::fputs(fmt::format("\r{}\033[K", line()).c_str(), stderr);
  }
}

std::string ProgressLine::line() const {
  const double elapsed = step_time_.seconds();
  const std::string time = fmt::format("{:.0f} s", elapsed);
  if (total_ == 0) return fmt::format("{}  {}", step_, time);
  std::string share = fmt::format("{}  {:3} %  {}", step_, done_ * 100 / total_, time);
  if (done_ == 0) return share;
  return fmt::format("{}, about {:.0f} s left", share,
                     elapsed * (static_cast<double>(total_) / static_cast<double>(done_) - 1));
}

void ProgressLine::take_away() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace sealite::cli

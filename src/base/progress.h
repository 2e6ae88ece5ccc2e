#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sealite {

/// One line on a terminal's stderr ("writing  42 %  3 s, about 4 s left"), once the work has taken a second;
/// nothing where stderr is not a terminal. A thread of its own redraws it, so that it goes on in the middle
/// of one long step too. All but the destructor may be called from any thread.
class Progress {
 public:
  /// `total` in the unit of `advance`: bytes, nodes, …; 0 where nobody knows it: then only the time is shown.
  explicit Progress(std::string_view what, std::uint64_t total = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t amount) { done_ += amount; }
  void rename(std::string_view what);
  /// Calls `print`, which may write to the terminal, while the line is taken away.
  void pause(const std::function<void()>& print);

 private:
  using Clock = std::chrono::steady_clock;
  void redraw(const std::stop_token& stop);
  std::string line() const;
  void take_away();

  std::string what_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  Clock::time_point start_ = Clock::now();
  std::mutex mutex_;  // what_, drawn_ and the terminal
  std::condition_variable_any wake_;
  bool drawn_ = false;
  std::jthread thread_;  // the last: it uses all of the above
};

}  // namespace sealite

#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/stopwatch.h"

namespace sealite::cli {

/// One line on a terminal's stderr ("writing  42 %  3 s, about 4 s left"), once a step has taken a second;
/// nothing where stderr is not a terminal. A thread of its own redraws it, so that it goes on in the middle
/// of one long piece of work too. All but the destructor may be called from any thread.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// What is going on now; as `Context::progress`.
  void show(std::string_view step, std::uint64_t done, std::uint64_t total);
  /// Calls `print`, which may write to the terminal, while the line is taken away.
  void pause(const std::function<void()>& print);

 private:
  void redraw(const std::stop_token& stop);
  std::string line() const;
  void take_away();

  std::mutex mutex_;  // everything below and the terminal
  std::string step_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  Stopwatch step_time_;
  bool drawn_ = false;
  std::condition_variable_any wake_;
  std::jthread thread_;  // the last: it uses all of the above
};

}  // namespace sealite::cli

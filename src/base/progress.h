#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sealite {

/// One line on a terminal's stderr ("writing  42 %  3 s, about 4 s left"), redrawn at most ten times a second
/// and only once the work has taken a second; nothing where stderr is not a terminal. `advance` may come from
/// any thread.
class Progress {
 public:
  /// `total` in the unit of `advance`: bytes, nodes, …
  Progress(std::string_view what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t amount);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_draw_ms_{1000};
  std::atomic<bool> drawn_{false};
  Clock::time_point start_ = Clock::now();
  bool terminal_;
};

}  // namespace sealite

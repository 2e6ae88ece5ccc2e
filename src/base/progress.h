#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/stopwatch.h"

namespace sealite {

/// One step of a call that may take long, for the host's `Context::progress`. `advance` may be called from
/// any thread.
class Progress {
 public:
  /// `total` in the unit of `advance`: bytes, nodes, …
  Progress(std::string_view step, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t amount);

 private:
  const Context& context_;
  std::string step_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;  // of the host's function, and of:
  Stopwatch since_told_;
};

}  // namespace sealite

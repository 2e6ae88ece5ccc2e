#pragma once

#include <cstddef>
#include <functional>

namespace sealite {

/// For programs: `parallel_for` uses so many threads from now on. No result depends on it.
void set_worker_count(std::size_t count);

/// Number of worker threads that `parallel_for` uses: the processors this process may run on, if not set.
std::size_t worker_count();

/// Calls `body(i)` for every i in [0, count), from several threads, roughly in order; the first exception
/// stops the rest and is rethrown here. Throws kInterrupted soon after SIGINT or SIGTERM (see interrupt.h).
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

/// While one lives, `parallel_for` uses no thread but the one that made it: for work that is one of many
/// already.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  bool before_;
};

}  // namespace sealite

#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "base/helper_threads.h"

namespace sealite {

std::size_t worker_count() {
  return static_cast<std::size_t>(std::max(1, current_context().threads));
}

// Each worker takes the next index: a writer's blocks leave in file order and memory stays at one block per
// worker. Plain threads, not a task library: the work items are megabytes, and ThreadSanitizer sees every
// hand-over.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  run_on_threads(std::min(worker_count(), count), [&] {
    try {
      for (std::size_t i = next++; i < count && !stop; i = next++) {
        check_cancelled();
        body(i);
      }
    } catch (...) {
      stop = true;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace sealite

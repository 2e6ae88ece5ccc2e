#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/interrupt.h"

namespace sealite {
namespace {

std::atomic<std::size_t> chosen_workers{0};  // NOLINT: the process' own; 0: as many as processors
thread_local bool one_thread = false;        // NOLINT: see OneThread

}  // namespace

OneThread::OneThread() : before_(std::exchange(one_thread, true)) {}

OneThread::~OneThread() {
  one_thread = before_;
}

void set_worker_count(std::size_t count) {
  chosen_workers = count;
}

std::size_t worker_count() {
  if (const std::size_t chosen = chosen_workers; chosen != 0) return chosen;
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

// Each worker takes the next index: a writer's blocks leave in file order and memory stays at one block per
// worker. Plain threads, not a task library: the work items are megabytes, and ThreadSanitizer sees every
// hand-over.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count && !stop; i = next++) {
        check_interrupt();
        body(i);
      }
    } catch (...) {
      stop = true;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t workers = one_thread ? 1 : std::min(worker_count(), count);
    try {
      for (std::size_t i = 1; i < workers; ++i) helpers.emplace_back(work);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the threads that there are do it all
    }
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace sealite

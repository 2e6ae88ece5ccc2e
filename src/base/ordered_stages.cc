#include "base/ordered_stages.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <vector>

#include "base/context.h"
#include "base/helper_threads.h"

namespace sealite {
namespace {

// Every thread does whatever can be done now, what is nearest the end first, so that few items are on their
// way. A mutex hands the items over, which the thread sanitizer understands: the stages' own work takes
// milliseconds.
class StageLoop {
 public:
  StageLoop(std::size_t count, std::size_t threads, const OrderedStages& stages)
      : count_(count), places_(stage_places(threads)), stages_(stages), prepared_(places_) {}

  void work() {
    std::unique_lock lock(mutex_);
    while (!error_ && given_ < count_) {
      if (!giving_ && given_ < run_) {
        giving_ = true;
        if (perform(lock, stages_.give, given_)) ++given_;
        giving_ = false;
      } else if (!running_ && run_ < taken_ && prepared_[run_ % places_] != 0) {
        running_ = true;
        if (perform(lock, stages_.run, run_)) ++run_;
        running_ = false;
      } else if (taken_ < std::min(count_, given_ + places_)) {
        const std::size_t item = taken_++;
        prepared_[item % places_] = 0;
        if (perform(lock, stages_.prepare, item)) prepared_[item % places_] = 1;
      } else {
        changed_.wait(lock);
        continue;
      }
      changed_.notify_all();
    }
  }

  std::exception_ptr error() const { return error_; }

 private:
  // Without the lock. False if it threw.
  bool perform(std::unique_lock<std::mutex>& lock, const OrderedStages::Stage& stage, std::size_t item) {
    lock.unlock();
    std::exception_ptr error;
    try {
      check_cancelled();
      stage(item, item % places_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !error_) error_ = error;
    return !error;
  }

  const std::size_t count_;
  const std::size_t places_;
  const OrderedStages& stages_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All below is the mutex's.
  std::vector<char> prepared_;  // by place
  std::size_t taken_ = 0;       // items that were begun...
  std::size_t run_ = 0;         // ...that were run...
  std::size_t given_ = 0;       // ...that have left
  bool running_ = false;
  bool giving_ = false;
  std::exception_ptr error_;
};

}  // namespace

void run_ordered(std::size_t count, std::size_t threads, const OrderedStages& stages) {
  StageLoop loop(count, threads, stages);
  run_on_threads(std::min(threads, count), [&loop] { loop.work(); });
  if (loop.error()) std::rethrow_exception(loop.error());
}

}  // namespace sealite

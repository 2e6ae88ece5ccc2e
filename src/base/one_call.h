#pragma once

#include <atomic>

#include "base/error.h"

namespace sealite {

/// Holds an object for one call: a second one from another thread meanwhile is kUsage, not a broken answer.
class OneCall {
 public:
  OneCall(std::atomic_flag& busy, const char* what) : busy_(busy) {
    if (busy_.test_and_set(std::memory_order_acquire))
      fail(ErrorCode::kUsage, "this {} is in another call: use one for each thread", what);
  }
  ~OneCall() { busy_.clear(std::memory_order_release); }
  OneCall(const OneCall&) = delete;
  OneCall& operator=(const OneCall&) = delete;

 private:
  std::atomic_flag& busy_;
};

}  // namespace sealite

#pragma once

#include <cstddef>
#include <functional>

namespace sealite {

/// Runs `work` on `threads` threads, this one among them, in this thread's context; returns when all are
/// done. Where the system gives fewer threads, those that there are do it all: `work` takes what is left
/// until nothing is. `work` must not throw.
void run_on_threads(std::size_t threads, const std::function<void()>& work);

}  // namespace sealite

#pragma once

#include <cstddef>
#include <functional>

#include "base/context.h"

namespace sealite {

/// How many threads `parallel_for` uses: what this thread's context allows.
std::size_t worker_count();

/// Calls `body(i)` for every i in [0, count), from several threads, roughly in order; the first exception
/// stops the rest and is rethrown here. Throws kInterrupted soon after the host cancels (base/context.h).
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace sealite

// As the standard library's, but it notes what was asked for in vain: "out of memory" can then say how much.
// The sanitizers have theirs.
#include "cli/sanitized.h"

#ifndef SEALITE_SANITIZED

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/failed_allocation.h"

// Inlined, GCC would call the pair mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const found =
      std::malloc(std::max<std::size_t>(size, 1));  // NOLINT: this is what others call instead
  if (found != nullptr) return found;
  sealite::note_failed_allocation(size);
  throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);  // NOLINT: the other half of the above
}

[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);  // NOLINT: the other half of the above
}

#endif

// As the standard library's, but it notes what was asked for in vain: "out of memory" can then say how much.
// The sanitizers have theirs.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SEALITE_SANITIZED
#endif
#endif
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
  std::free(block);  // NOLINT
}

[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/) noexcept {
  std::free(block);  // NOLINT
}

#endif
#endif

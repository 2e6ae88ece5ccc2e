// LiteRT's memory in large pages. XNNPACK asks for all of a model's activations at once (147 MB for
// ChunkySeal) and fills them with zeros, one page fault for each 4 KiB: that was half of a second start
// (docs/log/2026-11-performance.md). It offers no allocator of one's own, so the program defines the function
// that it calls (exported: CMakeLists.txt). The sanitizers have theirs.
#include "cli/sanitized.h"

#ifndef SEALITE_SANITIZED

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>

extern "C" int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  constexpr std::size_t kHugePage = std::size_t{2} << 20U;
  constexpr std::size_t kLarge = std::size_t{32} << 20U;
  if (!std::has_single_bit(alignment) || alignment < sizeof(void*)) return EINVAL;
  const int before = errno;
  const bool large = size >= kLarge;
  void* const found = ::memalign(large ? std::max(alignment, kHugePage) : alignment, size);
  if (found == nullptr) return ENOMEM;  // and so is errno, as after glibc's own
  if (large) ::madvise(found, size / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: it may not know them
  errno = before;
  *block = found;
  return 0;
}

#endif

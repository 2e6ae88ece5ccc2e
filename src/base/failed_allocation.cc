#include "base/failed_allocation.h"

#include <atomic>

namespace sealite {
namespace {

std::atomic<std::uint64_t> last_failed{0};  // NOLINT: of the process, as its memory is

}  // namespace

void note_failed_allocation(std::uint64_t bytes) noexcept {
  last_failed = bytes;
}

std::uint64_t failed_allocation() noexcept {
  return last_failed;
}

}  // namespace sealite

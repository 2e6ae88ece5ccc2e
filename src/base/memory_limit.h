#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sealite {

/// Bytes that this process may take, if that is limited (`--max-memory`, `ulimit -d`, `ulimit -v`).
inline std::optional<std::uint64_t> memory_limit() {
  rlim_t least = RLIM_INFINITY;
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) == 0) least = std::min(least, limit.rlim_cur);
  if (::getrlimit(RLIMIT_AS, &limit) == 0) least = std::min(least, limit.rlim_cur);
  if (least == RLIM_INFINITY) return std::nullopt;
  return least;
}

}  // namespace sealite

#pragma once

#include <cstdio>

struct link_map;  // NOLINT(readability-identifier-naming): the C library's

namespace sealite {

/// Points a loaded library's own reference to C's variable `stderr` at `*stream`, for libraries that print
/// and have no way to be silenced; nobody else's stderr changes. Both have to stay as long as the library
/// does. False where the reference is not found: another C library than glibc, or a library that prints
/// nothing.
bool redirect_stderr(const link_map& library, std::FILE** stream);

}  // namespace sealite

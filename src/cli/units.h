#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/stopwatch.h"

namespace sealite::cli {

/// "2951.70 MiB". The conversion guide calls 2^20 bytes a MB.
std::string mebibytes(std::uint64_t bytes);

/// "(1, 3, 256, 256)", "?" where free.
std::string shape_text(const std::vector<std::int64_t>& shape);

/// Largest resident memory of this process so far, in bytes.
std::uint64_t peak_memory();

}  // namespace sealite::cli

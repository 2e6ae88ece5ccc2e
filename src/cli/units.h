#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sealite::cli {

/// "2951.70 MB": 1 MB = 2^20 bytes, as in the conversion guide.
std::string megabytes(std::uint64_t bytes);

/// "(1, 3, 256, 256)", "?" where free.
std::string shape_text(const std::vector<std::int64_t>& shape);

/// Largest resident memory of this process so far, in bytes.
std::uint64_t peak_memory();

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace sealite::cli

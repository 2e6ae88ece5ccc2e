#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>

namespace sealite::cli {

/// What a service may set so that no input takes more than its share.
struct Limits {
  std::uint64_t memory = 0;  ///< Bytes; 0: none.
  double seconds = 0;        ///< 0: none.
  std::size_t workers = 0;   ///< 0: every processor.
};

/// Adds --max-memory, --timeout and --workers.
void add_limit_options(CLI::App& command, Limits& limits);

/// Adds --max-pixels; `max_pixels` holds the default.
void add_pixel_limit(CLI::App& command, std::uint64_t& max_pixels);

/// From now on they hold for this process. Throws kUsage if the system does not take one.
void apply_limits(const Limits& limits);

}  // namespace sealite::cli

#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <filesystem>

#include "cli/progress_line.h"
#include "sealite/context.h"
#include "sealite/weight_cache.h"

namespace sealite::cli {

/// What a command's user says about the machine.
struct HostOptions {
  std::filesystem::path litert_library;
  bool use_cache = true;  ///< Only of commands with --no-cache; others keep nothing.
};

/// Adds --litert.
void add_litert_option(CLI::App& command, HostOptions& host);

/// Adds --no-cache.
void add_cache_option(CLI::App& command, HostOptions& host);

/// For --workers: threads for all but inference; 0: every processor.
void set_workers(std::size_t workers);

/// What this program is to the library: warnings go to stderr, progress to `line`, Ctrl-C and --timeout
/// cancel, every processor may be used, packed weights are kept in the user's folder. `line` has to live as
/// long.
Context program_context(ProgressLine& line, const HostOptions& host);
/// The same without LiteRT and without a cache.
Context program_context(ProgressLine& line);

/// "off", "made" or "hit", as `--json` says it.
const char* cache_use_name(WeightCacheUse use);

}  // namespace sealite::cli

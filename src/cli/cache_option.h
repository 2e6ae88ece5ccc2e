#pragma once

#include <CLI/CLI.hpp>

#include "sealite/weight_cache.h"

namespace sealite::cli {

/// Adds --no-cache, which makes `use_cache` false.
void add_cache_option(CLI::App& command, bool& use_cache);

/// "off", "made" or "hit", as `--json` says it.
const char* cache_use_name(WeightCacheUse use);

}  // namespace sealite::cli

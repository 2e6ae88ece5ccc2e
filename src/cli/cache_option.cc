#include "cli/cache_option.h"

namespace sealite::cli {

void add_cache_option(CLI::App& command, bool& use_cache) {
  command.add_flag_callback(
      "--no-cache", [&use_cache] { use_cache = false; },
      "Pack the weights anew: neither read nor write $SEALITE_CACHE_DIR (~/.cache/sealite)");
}

const char* cache_use_name(WeightCacheUse use) {
  switch (use) {
    case WeightCacheUse::kHit:
      return "hit";
    case WeightCacheUse::kMade:
      return "made";
    case WeightCacheUse::kOff:
      break;
  }
  return "off";
}

}  // namespace sealite::cli

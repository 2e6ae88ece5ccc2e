#pragma once

#include <cstdint>
#include <filesystem>

namespace sealite {

/// What the weight cache did for a model. It keeps the weights as LiteRT packs them for this processor, so
/// that a later start maps them instead of packing them again (docs/performance.md). Its folder is
/// `Context::cache_folder`, and without one there is none; it holds at most $SEALITE_CACHE_SIZE bytes (8G; a
/// wrong value is kUsage) and a quarter of the free space. A
/// cache that is damaged, full or not writable is not used: answers never depend on it.
enum class WeightCacheUse : std::uint8_t {
  kOff,   ///< Nothing: not wanted, not possible, or the model is below 8 MiB and gains nothing.
  kMade,  ///< The weights were packed, and kept for later starts.
  kHit,   ///< An earlier start had packed them.
};

/// The folder that `sealite` itself uses, for `Context::cache_folder`: $SEALITE_CACHE_DIR,
/// $XDG_CACHE_HOME/sealite or ~/.cache/sealite; empty if none is set.
std::filesystem::path user_cache_folder();

}  // namespace sealite

#pragma once

#include <cstdint>
#include <filesystem>

namespace sealite::runtime {

struct RunOptions {
  int threads = 1;                     ///< XNNPACK's worker threads.
  std::filesystem::path cache_folder;  ///< Keeps packed weights (weight_cache.h); empty: nowhere.
  /// In bytes of the model's file. Below, finding the packed weights takes as long as packing them
  /// (docs/performance.md).
  std::uint64_t smallest_cached = std::uint64_t{8} << 20U;
  /// A file of packed weights of XNNPACK's own, made if absent, instead of that cache; empty: none. LiteRT
  /// does not tie it to the model: a cache of another model with the same structure silently gives that
  /// model's answers, and a damaged one wrong answers.
  std::filesystem::path weight_cache;
  /// XNNPACK makes its tables of input addresses (8 bytes for each output pixel and filter tap of a
  /// convolution) anew in each run, one convolution's at a time, instead of keeping all of them: PixelSeal's
  /// embedder takes 45 MiB less and 3 % more time.
  bool tables_per_run = false;
  std::filesystem::path library;  ///< libLiteRt.so; empty: searched as described at `LiteRtApi::load`.
  bool profile = false;           ///< For `run_profiled`; slows every run a little.
};

/// What this thread's host wants of them (base/context.h).
RunOptions run_options_of_host();

}  // namespace sealite::runtime

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

namespace sealite {

enum class LogLevel : std::uint8_t { kInfo, kWarning };

/// What a host hands to the library. As it is here: one thread for each call, nothing printed, nothing kept
/// on disk. Sealite changes no signal handler, no locale and no environment, and starts no thread that
/// outlives the call; an object (a detector, an embedder) holds a copy for all its calls. The functions may
/// be called from any thread, also from several at once where it does not say otherwise, and must not throw.
struct Context {
  /// How many threads one call may use, the caller's among them. No result depends on it.
  int threads = 1;
  /// Gets one line without its end: what the runtime says, what of a file was passed over.
  std::function<void(LogLevel level, std::string_view line)> log;
  /// Gets how far the current step has come, in the step's own unit, at most some twenty times a second and
  /// one call at a time; `total` is 0 where nobody knows it. An empty `step` says that the step is over.
  std::function<void(std::string_view step, std::uint64_t done, std::uint64_t total)> progress;
  /// Asked between pieces of work (milliseconds apart); true ends the call with kInterrupted, and no file is
  /// left.
  std::function<bool()> cancelled;
  /// Where packed weights are kept (weight_cache.h); empty: nowhere.
  std::filesystem::path cache_folder;
  /// libLiteRt.so to load; empty: searched (docs/pipeline.md).
  std::filesystem::path litert_library;
};

}  // namespace sealite

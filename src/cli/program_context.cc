#include "cli/program_context.h"

#include <algorithm>
#include <thread>

#include "cli/interrupt.h"
#include "cli/plain_text.h"

namespace sealite::cli {
namespace {

std::size_t chosen_workers = 0;  // NOLINT: the program's own; 0: as many as processors

// Two at least: one gives LiteRT's pages back while it loads a model.
int worker_count() {
  if (chosen_workers != 0) return static_cast<int>(chosen_workers);
  return static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
}

}  // namespace

void add_litert_option(CLI::App& command, HostOptions& host) {
  command.add_option("--litert", host.litert_library, "libLiteRt.so to load (default: searched)");
}

void add_cache_option(CLI::App& command, HostOptions& host) {
  command.add_flag_callback(
      "--no-cache", [&host] { host.use_cache = false; },
      "Pack the weights anew: neither read nor write $SEALITE_CACHE_DIR (~/.cache/sealite)");
}

void set_workers(std::size_t workers) {
  chosen_workers = workers;
}

Context program_context(ProgressLine& line) {
  Context context;
  context.threads = worker_count();
  context.cancelled = interrupted;
  context.progress = [&line](std::string_view step, std::uint64_t done, std::uint64_t total) {
    line.show(step, done, total);
  };
  context.log = [&line](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) line.pause([&] { print_warning(text); });
  };
  return context;
}

Context program_context(ProgressLine& line, const HostOptions& host) {
  Context context = program_context(line);
  context.litert_library = host.litert_library;
  if (host.use_cache) context.cache_folder = user_cache_folder();
  return context;
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

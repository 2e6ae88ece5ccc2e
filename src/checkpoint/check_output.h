#pragma once

#include <filesystem>
#include <system_error>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Throws kUsage if `output` is the checkpoint itself, or one of its files. The mapped file would be read to
/// its end even so, but nobody means to lose it.
inline void check_output(const Checkpoint& checkpoint, const std::filesystem::path& output) {
  std::vector<std::filesystem::path> files = checkpoint.shards();
  files.push_back(checkpoint.path());
  for (const std::filesystem::path& file : files) {
    std::error_code ignored;
    if (std::filesystem::equivalent(file, output, ignored)) {
      fail(ErrorCode::kUsage, "'{}' is the checkpoint itself; write to another file", output.string());
    }
  }
}

/// Tells the host what was found in an unusual place or by unusual names.
inline void log_notes(const Checkpoint& checkpoint) {
  for (const std::string& note : checkpoint.notes())
    log_warning("'{}': {}", checkpoint.path().string(), note);
}

}  // namespace sealite::checkpoint

#pragma once

#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace sealite {

/// Throws kUsage if `output` is `checkpoint` itself. The mapped file would be read to its end even so, but
/// nobody means to lose it.
inline void check_output(const std::filesystem::path& checkpoint, const std::filesystem::path& output) {
  std::error_code ignored;
  if (std::filesystem::equivalent(checkpoint, output, ignored)) {
    fail(ErrorCode::kUsage, "'{}' is the checkpoint itself; write to another file", output.string());
  }
}

}  // namespace sealite

#pragma once

#include <chrono>
#include <system_error>
#include <thread>

#include "base/context.h"
#include "base/mapped_file.h"

namespace sealite::runtime {

/// While it lives, pages of the file that LiteRT has read leave memory again, many times a second: the
/// weights are then resident once, as LiteRT packs them, and not twice. Needs a thread: not for a host that
/// allows one.
class PageReleaser {
 public:
  explicit PageReleaser(const MappedFile& file) {
    if (current_context().threads < 2) return;
    try {
      thread_ = std::jthread([&file](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          file.release(file.bytes());
        }
      });
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): only takes more memory
    }
  }

 private:
  std::jthread thread_;
};

}  // namespace sealite::runtime

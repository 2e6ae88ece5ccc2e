#pragma once

#include <chrono>
#include <system_error>
#include <thread>

#include "base/bytes.h"
#include "base/mapped_file.h"

namespace sealite::runtime {

/// While it lives, pages of the file that LiteRT has read leave memory again, many times a second: the
/// weights are then resident once, as LiteRT packs them, and not twice.
class PageReleaser {
 public:
  explicit PageReleaser(ByteView bytes) {
    try {
      thread_ = std::jthread([bytes](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          release_pages(bytes);
        }
      });
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): only takes more memory
    }
  }

 private:
  std::jthread thread_;
};

}  // namespace sealite::runtime

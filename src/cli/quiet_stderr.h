#pragma once

namespace sealite::cli {

/// Sends stderr to /dev/null while it lives: LiteRT prints one "INFO: Created TensorFlow Lite XNNPACK
/// delegate" line from a logger that its C API cannot silence. For the command line only: the whole process
/// loses stderr meanwhile.
class QuietStderr {
 public:
  QuietStderr();
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int saved_ = -1;
};

}  // namespace sealite::cli

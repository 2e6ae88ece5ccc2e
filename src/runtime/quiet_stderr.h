#pragma once

namespace sealite::runtime {

/// Sends stderr to /dev/null while it lives: LiteRT prints one "INFO: Created TensorFlow Lite XNNPACK
/// delegate" line from a logger that its C API cannot silence. The whole process loses stderr meanwhile.
class QuietStderr {
 public:
  explicit QuietStderr(bool quiet);  ///< Does nothing unless `quiet`.
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int saved_ = -1;
};

}  // namespace sealite::runtime

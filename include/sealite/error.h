#pragma once

#include <stdexcept>
#include <string>

namespace sealite {

/// Why something failed. The numbers are the command line's exit statuses (the BSD sysexits where one fits)
/// and the C ABI's return codes: keep them stable.
enum class ErrorCode : int {
  kUsage = 64,         ///< The caller asked for something that makes no sense.
  kMalformed = 65,     ///< The input's bytes are broken, contradictory or hostile.
  kNotFound = 66,      ///< An input cannot be opened.
  kUnsupported = 69,   ///< A well-formed input that Sealite does not handle, or a missing runtime.
  kInternal = 70,      ///< A defect in Sealite or in the runtime it calls.
  kNoMemory = 71,      ///< Memory ran out, or a limit on it was reached (`--max-memory`, `ulimit`).
  kIo = 74,            ///< Reading or writing failed, e.g. a full disk.
  kTimeout = 75,       ///< `--timeout` was reached.
  kMismatch = 78,      ///< A checkpoint does not fit its card, or two inputs each other.
  kInterrupted = 130,  ///< SIGINT or SIGTERM.
};

/// The only exception that Sealite throws on purpose. The message says what, where, expected, found and what
/// to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace sealite

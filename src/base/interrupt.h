#pragma once

#include <string>

#include "sealite/error.h"

namespace sealite {

/// Makes SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it at once. For
/// programs: the library never installs handlers by itself.
void catch_interrupts();

/// For programs too: `seconds` from now `check_interrupt` throws kTimeout with `message`, and a second later,
/// or once it has taken 64 MiB more, the process ends with that exit status and message, whatever it is in.
void end_after(double seconds, const std::string& message);

/// Throws kInterrupted once a caught signal has arrived, kTimeout once the time is up. Long loops call it
/// between blocks of work.
void check_interrupt();

/// Whether an error is one of those. What goes on after other errors lets them through.
inline bool is_interrupt(ErrorCode code) {
  return code == ErrorCode::kInterrupted || code == ErrorCode::kTimeout;
}

}  // namespace sealite

#pragma once

#include <string>

#include "sealite/error.h"

namespace sealite::cli {

/// Makes SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it at once.
void catch_interrupts();

/// `seconds` from now `interrupted` is true, and `interruption` kTimeout with `message`; a second later, or
/// once it has taken 64 MiB more, the process ends with that exit status and message, whatever it is in.
void end_after(double seconds, const std::string& message);

/// Whether a caught signal has arrived or the time is up.
bool interrupted();

/// `error`, or the end of the time where that is what interrupted the call.
Error interruption(const Error& error);

}  // namespace sealite::cli

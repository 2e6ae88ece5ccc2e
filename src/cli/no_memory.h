#pragma once

#include <string>

#include "sealite/error.h"

namespace sealite::cli {

/// The error's message; where memory ran out, also how much was asked for in vain and which limit there is.
std::string message_of(const Error& error);

/// Prints "sealite: error: out of memory" with the same, as one line; takes no memory.
void print_no_memory(const char* what = "") noexcept;

/// From now on a library that calls abort() since it got no memory (GLib, LiteRT) ends the program with that
/// line and status 71; any other abort stays one.
void catch_aborts();

/// The limit is --max-memory's, and not one that the program was started with.
void name_limit_after_option();

}  // namespace sealite::cli

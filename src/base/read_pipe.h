#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace sealite {

/// The next bytes of an open pipe or file, as many as there are and fit; 0 at its end. Waits for a pipe's
/// writer, but looks up ten times a second whether it shall go on. Throws kIo with `name`, kInterrupted and
/// kTimeout.
std::size_t read_some(int file, MutableByteView into, const std::string& name);

}  // namespace sealite

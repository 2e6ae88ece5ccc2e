#pragma once

#include "base/bytes.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// Reads a pickle (protocols 0 to 5) as data. Sealite makes values of the globals of pickle_globals.cc; any
/// other one is opaque: its name, and what it was to be called with. Nothing is ever imported, called or
/// executed; names of Python's own ways to run something are refused, so that who has such a file hears of
/// it. Time and memory are bounded by the pickle's size and by fixed limits. Throws kMalformed. The result
/// looks into `bytes`. Source: CPython Lib/pickletools.py; torch/_weights_only_unpickler.py.
Pickle unpickle(ByteView bytes);

/// The same for the pickle at the front of `bytes`, which then begin behind it.
Pickle unpickle_front(ByteView& bytes);

}  // namespace sealite::checkpoint

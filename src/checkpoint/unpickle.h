#pragma once

#include "base/bytes.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// Reads a pickle (protocols 2 to 5) as data. Only the globals of pickle_globals.cc exist; any other name,
/// and any opcode that torch does not write, is refused, and nothing is ever executed. Time and memory are
/// bounded by the pickle's size and by fixed limits. Throws kMalformed. The result looks into `bytes`.
/// Source: CPython Lib/pickletools.py; torch/_weights_only_unpickler.py.
Pickle unpickle(ByteView bytes);

}  // namespace sealite::checkpoint

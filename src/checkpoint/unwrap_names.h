#pragma once

#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Takes off what wraps a network's names: "module.", "_orig_mod.", "model.", "ema." or whatever stands
/// before all of them that have "detector." or "embedder." in them (or, if it is not empty, `name_prefix`),
/// and the words that data-parallel and compiled modules put between the others. A note says so. Names that
/// begin with "detector." or "embedder." already stay. Throws kUsage where several prefixes fit, listing
/// them, or the one that is asked for does not.
void unwrap_names(Contents& contents);

}  // namespace sealite::checkpoint

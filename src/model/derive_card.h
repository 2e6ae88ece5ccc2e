#pragma once

#include "checkpoint/checkpoint.h"
#include "model/card.h"

namespace sealite::model {

/// The card of a checkpoint that came without one: sizes from the tensors' shapes, the rest from `args` and
/// from what the model names in it imply. Throws kMismatch or kUnsupported, saying that `--card` would help,
/// when the file does not tell enough.
Card derive_card(const checkpoint::Checkpoint& checkpoint);

}  // namespace sealite::model

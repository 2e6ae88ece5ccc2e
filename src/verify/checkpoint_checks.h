#pragma once

#include "verify/examination.h"
#include "verify/original.h"

namespace sealite::verify {

/// Check `kInterface`: signature, shapes and types are those of the model's kind, and the metadata's claims
/// and the checkpoint (nullptr: not given) agree with them.
void check_interface(Examination& examination, const Original* original);

/// Checks `kTensors`, those of `kCheckpoint`, `kWeights` and `kLayers`: the model against the reference
/// evaluator on the checkpoint's network before any pass. A failure comes with a diagnosis where one of the
/// usual defects explains it.
void check_against(Examination& examination, const Original& original);

}  // namespace sealite::verify

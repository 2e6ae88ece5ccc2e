#pragma once

#include "verify/examination.h"

namespace sealite::verify {

/// Checks `kLoads`, `kInference`, `kPlausible` and `kRepeatable`: what the real runtime makes of the model.
/// Fills the pictures' `outputs` and the report's times. False if there is nothing to go on with. Throws
/// kUnsupported if the runtime itself is missing.
bool check_runtime(Examination& examination);

}  // namespace sealite::verify

#pragma once

#include "sealite/bench.h"

namespace sealite::measure {

/// Writes the two models into a temporary folder, runs each for about a second with `options.threads` threads
/// and takes the fastest run. Throws kIo, kInterrupted, and as runtime::CompiledModel does.
MatrixPeak measure_matrix_peak(const BenchOptions& options);

}  // namespace sealite::measure

#pragma once

#include <string_view>

#include "measure/loaded_model.h"
#include "sealite/bench.h"

namespace sealite::measure {

/// Loads the model once more, with LiteRT's profiler, and runs it some times (20, or 10 seconds, at least 3).
/// Throws kUnsupported where this LiteRT has no usable profiler.
BenchProfile measure_profile(const Candidate& candidate, const BenchOptions& options);

/// Whether the runtime's operator `name` is a convolution or matrix product: XNNPACK's names, and the file
/// format's where XNNPACK did not take it.
bool is_product_name(std::string_view name);

}  // namespace sealite::measure

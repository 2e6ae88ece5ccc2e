#include "verify/limits.h"

#include <algorithm>
#include <iterator>

namespace sealite::verify {
namespace {

// One row for each recipe. About three times the worst honest model that was measured.
constexpr Limits kLimits[] = {
    {"float32", 1e-5, 0.999, 2e-5, 1e-5, 0, 1e-6},
    {"fp16", 3e-3, 0.99, 3e-3, 1e-5, 0, 1e-3},
    {"int8", 0.08, 0.95, 0.1, 0.08, 1.0, 1e-3},
    {"int4", 0.35, 0.85, 0.6, 0.08, 1.0, 1e-3},
};

}  // namespace

const Limits& limits_for(std::string_view precision) {
  const auto* const found = std::ranges::find(kLimits, precision, &Limits::precision);
  return found == std::end(kLimits) ? *std::prev(std::end(kLimits)) : *found;
}

}  // namespace sealite::verify

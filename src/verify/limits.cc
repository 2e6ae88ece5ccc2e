#include "verify/limits.h"

#include <algorithm>
#include <span>

namespace sealite::verify {
namespace {

// One row for each recipe. About three times the worst honest model that was measured.
constexpr Limits kDetector[] = {
    {"float32", 1e-5, 0.999, 2e-5, 1e-5, 0, 1e-6},
    {"fp16", 3e-3, 0.99, 3e-3, 1e-5, 0, 1e-3},
    {"int8", 0.08, 0.95, 0.1, 0.08, 1.0, 1e-3},
    {"int4", 0.35, 0.85, 0.6, 0.08, 1.0, 1e-3},
};

// The PSNR of fp16 and int8 is what the project promises; one sample of a 64 x 64 picture that is rounded to
// its other neighbour leaves 89 dB. int4 has no 4-bit convolutions, so an embedder's weights are those of
// int8.
constexpr Limits kEmbedder[] = {
    {"float32", 1e-5, 80, 2e-5, 1e-5, 0, 1e-6},
    {"fp16", 3e-3, 60, 3e-3, 1e-5, 0, 1e-3},
    {"int8", 0.2, 45, 0.1, 0.2, 1.0, 1e-3},
    {"int4", 0.2, 45, 0.1, 0.2, 1.0, 1e-3},
};

}  // namespace

const Limits& limits_for(Part part, std::string_view precision) {
  const std::span<const Limits> limits = part == Part::kEmbedder ? kEmbedder : kDetector;
  const auto found = std::ranges::find(limits, precision, &Limits::precision);
  return found == limits.end() ? limits.back() : *found;
}

}  // namespace sealite::verify

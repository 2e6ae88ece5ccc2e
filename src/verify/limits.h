#pragma once

#include <string_view>

#include "sealite/convert.h"

namespace sealite::verify {

/// What a detector or an embedder of one recipe must keep to (docs/verification.md says where the numbers
/// come from).
struct Limits {
  std::string_view precision;
  double relative_error;  ///< Of all outputs: norm of the difference / norm of the original.
  double agreement;       ///< Detector: share of bits with the original's sign. Embedder: PSNR in dB of a
                          ///< picture marked by the model against the same marked by the original.
  double layer_error;     ///< Of one layer's output, as `relative_error`.
  double runtime_error;   ///< Of LiteRT's output against the file's own weights in Sealite's evaluator.
  double row_steps;       ///< Stored weights: rms difference of a row in rounding steps.
  double row_error;       ///< Stored float weights: norm of the difference of a row / its norm.
};

/// The limits for `precision`; those of int4 for one that is not known.
const Limits& limits_for(Part part, std::string_view precision);

}  // namespace sealite::verify

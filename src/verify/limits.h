#pragma once

#include <string_view>

namespace sealite::verify {

/// What a model of one recipe must keep to (docs/verification.md says where the numbers come from).
struct Limits {
  std::string_view precision;
  double relative_error;  ///< Of all logits: norm of the difference / norm of the original.
  double bit_agreement;   ///< Share of bits with the original's sign.
  double layer_error;     ///< Of one layer's output, as `relative_error`.
  double runtime_error;   ///< Of LiteRT's logits against the file's own weights in exact arithmetic.
  double row_steps;       ///< Stored weights: rms difference of a row in rounding steps.
  double row_error;       ///< Stored float weights: norm of the difference of a row / its norm.
};

/// The limits for `precision`; those of int4 for one that is not known.
const Limits& limits_for(std::string_view precision);

}  // namespace sealite::verify

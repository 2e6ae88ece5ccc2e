#pragma once

#include <span>
#include <string>

#include "verify/examination.h"

namespace sealite::verify {

/// Norm of the difference / norm of `wanted`; infinite if `found` has another size or a value that is no
/// number.
double relative_error(std::span<const float> wanted, std::span<const float> found);

/// Infinite if the sizes differ or a difference is no number.
double largest_difference(std::span<const float> a, std::span<const float> b);

double root_mean_square(std::span<const float> values);

/// Checks "NAME-numbers" and the kind's "NAME-bits" or "NAME-pictures": the model's outputs against the
/// recipe's limits. `original`: "the checkpoint", for the text. True if both pass. The first call's outputs
/// go into the report.
bool check_numbers(Examination& examination, const std::vector<Expected>& expected, const std::string& name,
                   const std::string& original);

}  // namespace sealite::verify

#pragma once

#include <span>
#include <vector>

#include "verify/examination.h"

namespace sealite::verify {

/// Norm of the difference / norm of `wanted`; infinite if `found` has another size or a value that is no
/// number.
double relative_error(std::span<const float> wanted, std::span<const float> found);

/// Infinite if the sizes differ or a difference is no number.
double largest_difference(std::span<const float> a, std::span<const float> b);

double root_mean_square(std::span<const float> values);

/// Checks `original.numbers` and, by the model's kind, `original.bits` or `original.pictures`: the model's
/// outputs against the recipe's limits. True if both pass. The first call's outputs go into the report.
bool check_numbers(Examination& examination, const std::vector<Expected>& expected,
                   const ComparedWith& original);

}  // namespace sealite::verify

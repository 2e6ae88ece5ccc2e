#pragma once

#include <vector>

#include "verify/examination.h"

namespace sealite::verify {

/// Check `original.pictures`: every picture marked with the original's delta and with the model's as `embed`
/// would, 8 bits, in the size of its file (synthetic and saved pictures: the model's). The PSNR of the one
/// against the other keeps to the recipe's limit; for information it is also given at the model's size, and
/// those against the unmarked picture say how strong the mark is. The first call's go into the report.
/// Skipped, with true, if nothing says how a delta is added. True if it passes.
bool check_marked_pictures(Examination& examination, const std::vector<Expected>& expected,
                           const ComparedWith& original);

}  // namespace sealite::verify

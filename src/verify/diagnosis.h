#pragma once

#include <span>
#include <string>

#include "verify/examination.h"
#include "verify/original.h"

namespace sealite::verify {

/// Tries the usual defects of converted models on the first picture: whether the model computes what the
/// original computes of a picture that was normalised twice or not at all, has 0 to 255 for 0 to 1, or blue
/// and red exchanged; of a message that was inverted or normalised. The one that explains the output in
/// words, or an empty text.
std::string diagnose(const Examination& examination, const Original& original,
                     std::span<const float> reference);

}  // namespace sealite::verify

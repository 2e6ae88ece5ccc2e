#pragma once

#include "verify/examination.h"

namespace sealite::verify {

/// The pictures to run, at the model's size: those of `options.images` and of `options.reference` (with what
/// PyTorch made of them), else two synthetic ones; for an embedder each has a message. Needs the
/// examination's size and bits. Throws what reading them throws, kMismatch if saved tensors have another size
/// than the model's, kUsage if `reference` lacks one.
std::vector<Picture> read_pictures(const Examination& examination);

}  // namespace sealite::verify

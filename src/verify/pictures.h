#pragma once

#include "verify/examination.h"

namespace sealite::verify {

/// The pictures to run, at the model's size: those of `options.images` and of `options.reference` (with the
/// logits saved there), else two made ones. Throws what reading them throws, kMismatch if saved pictures
/// have another size than the model reads, kUsage if `reference` holds no `images` and `logits`.
std::vector<Picture> read_pictures(const VerifyOptions& options, std::int64_t height, std::int64_t width);

}  // namespace sealite::verify

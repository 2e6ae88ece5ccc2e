#pragma once

#include <vector>

#include "model/card.h"
#include "model/parameter.h"

namespace sealite::model {

/// What the embedder that the card describes wants from the checkpoint (names under `embedder.`), videoseal
/// modules/unet.py, msg_processor.py. Throws kUnsupported for a normalisation that the reference code has
/// not, kMismatch for one that the checkpoint does not tell.
std::vector<Parameter> unet_parameters(const Card& card);

}  // namespace sealite::model

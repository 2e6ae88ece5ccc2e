#pragma once

#include <vector>

#include "model/card.h"
#include "model/parameter.h"

namespace sealite::model {

/// What the embedder that the card describes wants from the checkpoint (names under `embedder.`), with batch
/// normalisation (videoseal modules/unet.py, msg_processor.py). Throws kUnsupported for another
/// normalisation.
std::vector<Parameter> unet_parameters(const Card& card);

}  // namespace sealite::model

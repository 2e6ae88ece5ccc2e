#pragma once

#include "model/card.h"
#include "model/layers.h"
#include "model/parameter.h"

// The detector's head (videoseal modules/pixel_decoder.py), shared by every encoder.
namespace sealite::model {

/// Parameters under `detector.pixel_decoder.` for `channels` coming in.
void add_pixel_decoder_parameters(ParameterList& list, const PixelDecoderCard& card, std::int64_t channels,
                                  std::int64_t bits);

/// Latents [N,H,W,C] to logits: [N, 1 + bits], or [N, H*f, W*f, 1 + bits] if pixelwise.
ValueId build_pixel_decoder(Builder& builder, const Weights& weights, const PixelDecoderCard& card,
                            ValueId latents);

}  // namespace sealite::model

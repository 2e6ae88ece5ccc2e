#pragma once

#include <optional>

#include "model_file/metadata.h"
#include "pixels/jnd.h"
#include "pixels/resize.h"
#include "sealite/pixels.h"
#include "watermark/embedder_model.h"
#include "watermark/message.h"

namespace sealite::watermark {

/// How an embedder's delta is put into a picture.
struct Marking {
  std::optional<pixels::JndVariant> jnd;  ///< None: not attenuated.
  double scaling_w = 1;                   ///< Of the watermark.
  double scaling_i = 1;                   ///< Of the picture.
  bool lowres = false;                    ///< Attenuated by the picture as the model reads it.
};

/// As a model's metadata says it. Throws kMismatch for an attenuation that is not known.
Marking marking_of(const model_file::EmbeddingFacts& facts);

/// clamp(scaling_i * picture + scaling_w * attenuated delta, 0, 1) in 8 bits: the one way in which a picture
/// is marked. `delta` [S, S, C] is what a model made of `resized` [S, S, 3]; `marked` has the picture's size
/// and may be the picture itself.
void mark(const PixelView& picture, const pixels::Planes& resized, const pixels::Planes& delta,
          const Marking& marking, const MutablePixelView& marked);

/// All of it: resizes, runs the model, marks. Throws kMalformed if the model gives NaN or infinity.
void mark(EmbedderModel& model, const PixelView& picture, const Bits& message, const Marking& marking,
          const MutablePixelView& marked);

}  // namespace sealite::watermark

#pragma once

#include <cstdint>

#include "pixels/resize.h"
#include "watermark/message.h"
#include "watermark/picture_model.h"

namespace sealite::watermark {

/// Makes watermarks with a compiled "embed" signature: resized picture and message in, delta out.
class EmbedderModel : public PictureModel {
 public:
  /// Throws kMismatch if the signature is not (image [1,3,H,W] or [1,H,W,3], message [1, bits]) -> delta
  /// [1,C,H,W] or [1,H,W,C], C = 1 or 3, all float32.
  explicit EmbedderModel(runtime::CompiledModel model);

  /// The delta [H, W, C] for a picture of the model's own size [H, W, 3] in [0,1], before attenuation and
  /// scaling. Throws kInternal if a size is another, kMalformed if the model gives NaN or infinity.
  pixels::Planes delta(const pixels::Planes& resized, const Bits& message);
  /// The same, whatever numbers the model gives: for `verify`, which reports them.
  pixels::Planes unchecked_delta(const pixels::Planes& resized, const Bits& message);

 private:
  std::size_t message_ = 1;  // which input
  std::int64_t channels_ = 0;
};

}  // namespace sealite::watermark

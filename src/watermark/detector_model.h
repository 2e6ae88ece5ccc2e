#pragma once

#include <optional>
#include <span>
#include <vector>

#include "pixels/resize.h"
#include "sealite/error.h"
#include "watermark/picture_model.h"

namespace sealite::watermark {

/// Logits [columns] of a detector's output: as they are, or a pixelwise model's ([1,C,H,W] or [1,H,W,C])
/// averaged over pixels.
std::vector<float> average_pixels(std::vector<float> output, std::size_t columns, ImageLayout layout);

/// What is wrong with logits that are NaN or infinite (kMalformed); nothing if all are numbers.
std::optional<Error> broken_logits(std::span<const float> logits);

/// Reads watermarks with a compiled "detect" signature: picture in, logits out.
class DetectorModel : public PictureModel {
 public:
  /// `free_size`: height and width to use where the model leaves them free. Throws kMismatch if the signature
  /// is not (image [N,3,H,W] or [N,H,W,3] float32) -> logits [N, 1 + bits].
  DetectorModel(runtime::CompiledModel model, std::int64_t free_size);

  /// Resizes (antialiased, models.md §4) and runs: logits [1 + bits]; a pixelwise model's are averaged over
  /// pixels. Throws kMalformed if the model gives NaN or infinity: they are no message.
  std::vector<float> detect(const PixelView& picture);
  /// The same for a picture of the model's own size, HWC in [0,1].
  std::vector<float> detect(const pixels::Planes& planes);
  /// The same, whatever numbers they are.
  std::vector<float> unchecked_logits(const pixels::Planes& planes);
};

}  // namespace sealite::watermark

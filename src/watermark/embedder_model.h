#pragma once

#include <cstdint>

#include "pixels/resize.h"
#include "runtime/compiled_model.h"
#include "watermark/message.h"

namespace sealite::watermark {

/// Makes watermarks with a compiled "embed" signature: resized picture and message in, delta out.
class EmbedderModel {
 public:
  /// Throws kMismatch if the signature is not (image [1,3,H,W] or [1,H,W,3], message [1, bits]) -> delta
  /// [1,C,H,W] or [1,H,W,C], C = 1 or 3, all float32.
  explicit EmbedderModel(runtime::CompiledModel model);

  /// The delta [H, W, C] for a picture of the model's own size [H, W, 3] in [0,1], before attenuation and
  /// scaling. Throws kInternal if a size is another, kMalformed if the model gives NaN or infinity.
  pixels::Planes delta(const pixels::Planes& resized, const Bits& message);
  /// The same, whatever numbers the model gives: for `verify`, which reports them.
  pixels::Planes unchecked_delta(const pixels::Planes& resized, const Bits& message);

  std::size_t bits() const { return bits_; }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  bool fully_delegated() const { return model_.fully_delegated(); }
  WeightCacheUse cache_use() const { return model_.cache_use(); }

 private:
  runtime::CompiledModel model_;
  std::size_t image_ = 0;    // which input
  std::size_t message_ = 1;  // which input
  bool nchw_ = false;
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t channels_ = 0;
  std::size_t bits_ = 0;
};

}  // namespace sealite::watermark

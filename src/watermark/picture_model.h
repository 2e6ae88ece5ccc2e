#pragma once

#include <cstdint>

#include "base/image_shape.h"
#include "pixels/planes.h"
#include "runtime/compiled_model.h"

namespace sealite::watermark {

/// What detectors and embedders have in common: a compiled model that reads an RGB image of one size, in one
/// layout, and answers with or for some bits.
class PictureModel {
 public:
  std::size_t bits() const { return bits_; }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  bool fully_delegated() const { return model_.fully_delegated(); }
  WeightCacheUse cache_use() const { return model_.cache_use(); }

 protected:
  explicit PictureModel(runtime::CompiledModel model) : model_(std::move(model)) {}

  /// `input` is where the image goes; sizes that the model leaves free become `free_size`. Throws kMismatch,
  /// beginning with `words`, if it is no float32 [N,3,H,W] or [N,H,W,3].
  void read_images_from(std::size_t input, std::int64_t free_size, std::string_view words);
  /// Throws kInternal if the picture has another size than the model.
  void write_image(const pixels::Planes& picture);

  runtime::CompiledModel model_;
  ImageLayout layout_ = ImageLayout::kNchw;
  std::size_t image_ = 0;  // which input
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::size_t bits_ = 0;
};

}  // namespace sealite::watermark

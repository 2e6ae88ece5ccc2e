#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "image/picture.h"
#include "sealite/error.h"
#include "watermark/detect.h"

namespace sealite::watermark {

/// What one picture of several gave.
struct PictureLogits {
  std::vector<float> logits;   ///< [1 + bits]; empty if there is an error.
  std::optional<Error> error;  ///< Why the picture could not be read.
  double seconds = 0;          ///< That it took to decode, resize and run, without waiting.
};

/// Reads several pictures: up to `readers` are decoded and resized while one is in the model. Calls `each`
/// for every picture in the given order, one at a time, from any thread, while the next one may be in the
/// model. What `each` throws ends it, and so does an interrupt (kInterrupted, kTimeout). Memory: `readers`
/// pictures' rows, and as many of the model's size.
void detect_files(Detector& detector, std::span<const std::filesystem::path> pictures, int readers,
                  const image::ReadLimits& limits,
                  const std::function<void(std::size_t index, PictureLogits found)>& each);

}  // namespace sealite::watermark

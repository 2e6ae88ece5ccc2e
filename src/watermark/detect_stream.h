#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "pixels/resize.h"
#include "sealite/error.h"
#include "watermark/detector_model.h"

namespace sealite::watermark {

/// What one picture of several gave.
struct StreamedPicture {
  std::vector<float> logits;   ///< [1 + bits]; empty if there is an error.
  std::optional<Error> error;  ///< Why the picture could not be read.
  double seconds = 0;          ///< That it took to get, resize and run, without waiting.
};

/// The resized picture `index`, of the model's size. Several are called at once, each in a context of one
/// thread. An error that it throws is the picture's.
using ResizedPicture = std::function<pixels::Planes(std::size_t index)>;

/// Runs `count` pictures on `threads` threads, this one among them: one is in the model while others are
/// resized and one is given. `give` gets every picture in order, one at a time, from any thread. What `give`
/// throws ends it, and so does the host (kInterrupted). Memory: as many pictures of the model's size as
/// threads, and one.
void detect_stream(DetectorModel& model, std::size_t count, std::size_t threads,
                   const ResizedPicture& resized,
                   const std::function<void(std::size_t index, StreamedPicture found)>& give);

}  // namespace sealite::watermark

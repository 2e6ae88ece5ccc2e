#include "watermark/detector_model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sealite::watermark {

DetectorModel::DetectorModel(runtime::CompiledModel model, std::int64_t free_size)
    : PictureModel(std::move(model)) {
  if (model_.inputs().size() != 1 || model_.outputs().size() != 1) {
    fail(ErrorCode::kMismatch, "not a detector: it has {} inputs and {} outputs, expected 1 and 1",
         model_.inputs().size(), model_.outputs().size());
  }
  read_images_from(0, free_size, "not a detector");
  const Shape output = model_.output_shape(0);
  const std::int64_t columns = output.size() == 2   ? output[1]
                               : output.size() == 4 ? output[image_axes(layout_).channels]
                                                    : 0;
  if (columns < 2) {
    fail(ErrorCode::kMismatch, "not a detector: its output is {}, expected [1, 1 + bits]", to_string(output));
  }
  bits_ = static_cast<std::size_t>(columns - 1);
}

std::vector<float> DetectorModel::detect(const PixelView& picture) {
  return detect(pixels::resize_antialiased(picture, height_, width_));
}

std::vector<float> DetectorModel::detect(const pixels::Planes& planes) {
  std::vector<float> logits = unchecked_logits(planes);
  if (const std::optional<Error> broken = broken_logits(logits)) throw Error(*broken);
  return logits;
}

std::vector<float> DetectorModel::unchecked_logits(const pixels::Planes& planes) {
  write_image(planes);
  model_.run();
  return average_pixels(model_.read_output(0), bits_ + 1, layout_);
}

std::optional<Error> broken_logits(std::span<const float> logits) {
  const auto broken = std::ranges::count_if(logits, [](float logit) { return !std::isfinite(logit); });
  if (broken == 0) return std::nullopt;
  return Error(
      ErrorCode::kMalformed,
      fmt::format("{} of the model's {} outputs for it are NaN or infinite, which is no message: the "
                  "model's weights are broken",
                  broken, logits.size()));
}

std::vector<float> average_pixels(std::vector<float> output, std::size_t columns, ImageLayout layout) {
  if (output.size() == columns) return output;
  const std::size_t pixels = output.size() / columns;
  std::vector<float> means(columns, 0.0F);
  for (std::size_t c = 0; c < columns; ++c) {
    double sum = 0;
    for (std::size_t p = 0; p < pixels; ++p)
      sum += static_cast<double>(output[layout == ImageLayout::kNchw ? c * pixels + p : p * columns + c]);
    means[c] = static_cast<float>(sum / static_cast<double>(pixels));
  }
  return means;
}

}  // namespace sealite::watermark

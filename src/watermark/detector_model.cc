#include "watermark/detector_model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sealite::watermark {

DetectorModel::DetectorModel(runtime::CompiledModel model, std::int64_t free_size)
    : model_(std::move(model)) {
  if (model_.inputs().size() != 1 || model_.outputs().size() != 1) {
    fail(ErrorCode::kMismatch, "not a detector: it has {} inputs and {} outputs, expected 1 and 1",
         model_.inputs().size(), model_.outputs().size());
  }
  Shape shape = model_.inputs()[0].shape;
  nchw_ = shape.size() == 4 && shape[1] == 3;
  if (shape.size() != 4 || model_.inputs()[0].type != DType::kFloat32 || (!nchw_ && shape[3] != 3)) {
    fail(ErrorCode::kMismatch, "not a detector: its input is {} {}, expected float32 [N,3,H,W] or [N,H,W,3]",
         dtype_name(model_.inputs()[0].type), to_string(shape));
  }
  const std::size_t h = nchw_ ? 2 : 1;
  if (shape[0] != 1 || shape[h] < 1 || shape[h + 1] < 1) {
    shape[0] = 1;
    shape[h] = shape[h] < 1 ? free_size : shape[h];
    shape[h + 1] = shape[h + 1] < 1 ? free_size : shape[h + 1];
    model_.resize_input(0, shape);
  }
  height_ = shape[h];
  width_ = shape[h + 1];
  const Shape output = model_.output_shape(0);
  const std::int64_t columns = output.size() == 2   ? output[1]
                               : output.size() == 4 ? output[nchw_ ? 1 : 3]
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
  if (planes.height != height_ || planes.width != width_ || planes.channels != 3) {
    fail(ErrorCode::kInternal, "the model reads {}x{}, got {}x{}", height_, width_, planes.height,
         planes.width);
  }
  model_.write_input(0, nchw_ ? pixels::to_chw(planes) : planes.data);
  model_.run();
  return average_pixels(model_.read_output(0), bits_ + 1, nchw_);
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

std::vector<float> average_pixels(std::vector<float> output, std::size_t columns, bool nchw) {
  if (output.size() == columns) return output;
  const std::size_t pixels = output.size() / columns;
  std::vector<float> means(columns, 0.0F);
  for (std::size_t c = 0; c < columns; ++c) {
    double sum = 0;
    for (std::size_t p = 0; p < pixels; ++p)
      sum += static_cast<double>(output[nchw ? c * pixels + p : p * columns + c]);
    means[c] = static_cast<float>(sum / static_cast<double>(pixels));
  }
  return means;
}

}  // namespace sealite::watermark

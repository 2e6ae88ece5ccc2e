#include "watermark/embedder_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace sealite::watermark {
namespace {

std::size_t find_input(const runtime::CompiledModel& model, std::string_view name, std::size_t rank) {
  const auto found = std::ranges::find(model.inputs(), name, &runtime::TensorInfo::name);
  if (found == model.inputs().end() || found->type != DType::kFloat32 || found->shape.size() != rank) {
    fail(ErrorCode::kMismatch, "not an embedder: no input '{}' of float32 with {} dimensions", name, rank);
  }
  return static_cast<std::size_t>(found - model.inputs().begin());
}

}  // namespace

EmbedderModel::EmbedderModel(runtime::CompiledModel model) : model_(std::move(model)) {
  if (model_.inputs().size() != 2 || model_.outputs().size() != 1) {
    fail(ErrorCode::kMismatch, "not an embedder: it has {} inputs and {} outputs, expected 2 and 1",
         model_.inputs().size(), model_.outputs().size());
  }
  image_ = find_input(model_, "image", 4);
  message_ = find_input(model_, "message", 2);
  const Shape image = model_.inputs()[image_].shape;
  const Shape message = model_.inputs()[message_].shape;
  nchw_ = image[1] == 3;
  height_ = image[nchw_ ? 2 : 1];
  width_ = image[nchw_ ? 3 : 2];
  const Shape wanted = nchw_ ? Shape{1, 3, height_, width_} : Shape{1, height_, width_, 3};
  if (image != wanted || height_ < 1 || width_ < 1 || message[0] != 1 || message[1] < 1) {
    fail(ErrorCode::kMismatch,
         "not an embedder: its inputs are {} and {}, expected [1,3,H,W] or [1,H,W,3] and [1,bits]",
         to_string(image), to_string(message));
  }
  bits_ = static_cast<std::size_t>(message[1]);
  const Shape output = model_.output_shape(0);
  if (output.size() == 4) channels_ = output[nchw_ ? 1 : 3];
  const Shape expected = nchw_ ? Shape{1, channels_, height_, width_} : Shape{1, height_, width_, channels_};
  if (output != expected || (channels_ != 1 && channels_ != 3) ||
      model_.outputs()[0].type != DType::kFloat32) {
    fail(ErrorCode::kMismatch,
         "not an embedder: its output is {} {}, expected float32 of the picture's size with 1 or 3 channels",
         dtype_name(model_.outputs()[0].type), to_string(output));
  }
}

pixels::Planes EmbedderModel::delta(const pixels::Planes& resized, const Bits& message) {
  pixels::Planes delta = unchecked_delta(resized, message);
  if (!std::ranges::all_of(delta.data, [](float v) { return std::isfinite(v); })) {
    fail(ErrorCode::kMalformed,
         "the embedder's output has values that are not finite: its weights are broken");
  }
  return delta;
}

pixels::Planes EmbedderModel::unchecked_delta(const pixels::Planes& resized, const Bits& message) {
  if (resized.height != height_ || resized.width != width_ || resized.channels != 3 ||
      message.size() != bits_) {
    fail(ErrorCode::kInternal, "the model reads {}x{} and {} bits, got {}x{} and {}", height_, width_, bits_,
         resized.height, resized.width, message.size());
  }
  model_.write_input(image_, nchw_ ? pixels::to_chw(resized) : resized.data);
  model_.write_input(message_, std::vector<float>(message.begin(), message.end()));
  model_.run();
  pixels::Planes delta{height_, width_, channels_, model_.read_output(0)};
  if (!nchw_ || channels_ == 1) return delta;
  const auto pixels = static_cast<std::size_t>(height_ * width_);
  const std::vector<float> planes = std::exchange(delta.data, std::vector<float>(pixels * 3));
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) delta.data[i * 3 + c] = planes[c * pixels + i];
  }
  return delta;
}

}  // namespace sealite::watermark

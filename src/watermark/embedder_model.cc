#include "watermark/embedder_model.h"

#include <algorithm>
#include <cmath>

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

EmbedderModel::EmbedderModel(runtime::CompiledModel model) : PictureModel(std::move(model)) {
  if (model_.inputs().size() != 2 || model_.outputs().size() != 1) {
    fail(ErrorCode::kMismatch, "not an embedder: it has {} inputs and {} outputs, expected 2 and 1",
         model_.inputs().size(), model_.outputs().size());
  }
  const std::size_t image = find_input(model_, "image", 4);
  message_ = find_input(model_, "message", 2);
  const Shape images = model_.inputs()[image].shape;
  const Shape message = model_.inputs()[message_].shape;
  if (std::ranges::min(images) < 1 || images[0] != 1 || message[0] != 1 || message[1] < 1) {
    fail(ErrorCode::kMismatch,
         "not an embedder: its inputs are {} and {}, expected [1,3,H,W] or [1,H,W,3] and [1,bits]",
         to_string(images), to_string(message));
  }
  read_images_from(image, 0, "not an embedder");
  bits_ = static_cast<std::size_t>(message[1]);
  const Shape output = model_.output_shape(0);
  if (output.size() == 4) channels_ = output[image_axes(layout_).channels];
  if (output != image_shape(layout_, 1, height_, width_, channels_) || (channels_ != 1 && channels_ != 3) ||
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
  if (message.size() != bits_)
    fail(ErrorCode::kInternal, "the model reads {} bits, got {}", bits_, message.size());
  write_image(resized);
  model_.write_input(message_, std::vector<float>(message.begin(), message.end()));
  model_.run();
  return pixels::from_layout(model_.read_output(0), layout_, height_, width_, channels_);
}

}  // namespace sealite::watermark

#include "watermark/picture_model.h"

#include "base/error.h"

namespace sealite::watermark {

void PictureModel::read_images_from(std::size_t input, std::int64_t free_size, std::string_view words) {
  const runtime::TensorInfo& tensor = model_.inputs().at(input);
  const std::optional<ImageLayout> layout = layout_of_input(tensor.shape);
  if (!layout || tensor.type != DType::kFloat32) {
    fail(ErrorCode::kMismatch, "{}: its input is {} {}, expected float32 [N,3,H,W] or [N,H,W,3]", words,
         dtype_name(tensor.type), to_string(tensor.shape));
  }
  image_ = input;
  layout_ = *layout;
  const ImageAxes axes = image_axes(layout_);
  const auto size = [&](std::size_t axis) { return tensor.shape[axis] < 1 ? free_size : tensor.shape[axis]; };
  height_ = size(axes.height);
  width_ = size(axes.width);
  const Shape runs = image_shape(layout_, 1, height_, width_);
  if (runs != tensor.shape) model_.resize_input(input, runs);
}

void PictureModel::write_image(const pixels::Planes& picture) {
  if (picture.height != height_ || picture.width != width_ || picture.channels != 3) {
    fail(ErrorCode::kInternal, "the model reads {}x{}x3, got {}x{}x{}", height_, width_, picture.height,
         picture.width, picture.channels);
  }
  model_.write_input(image_, pixels::in_layout(picture, layout_));
}

}  // namespace sealite::watermark

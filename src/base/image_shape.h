#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/shape.h"
#include "sealite/image_layout.h"

// Which axis of an image's tensor is which: what models, their readers and their writers agree on.
namespace sealite {

struct ImageAxes {
  std::size_t channels;
  std::size_t height;
  std::size_t width;
};

constexpr ImageAxes image_axes(ImageLayout layout) {
  return layout == ImageLayout::kNchw ? ImageAxes{1, 2, 3} : ImageAxes{3, 1, 2};
}

/// [batch, channels, height, width] or [batch, height, width, channels].
inline Shape image_shape(ImageLayout layout, std::int64_t batch, std::int64_t height, std::int64_t width,
                         std::int64_t channels = 3) {
  if (layout == ImageLayout::kNchw) return {batch, channels, height, width};
  return {batch, height, width, channels};
}

/// The layout of a model's input, by its three channels; nothing if it is no RGB image. Of an image that is
/// three pixels high it cannot be told (NCHW is said): no model reads such (`read_runnable_graph`).
inline std::optional<ImageLayout> layout_of_input(const Shape& shape) {
  if (shape.size() != 4) return std::nullopt;
  if (shape[1] == 3) return ImageLayout::kNchw;
  if (shape[3] == 3) return ImageLayout::kNhwc;
  return std::nullopt;
}

/// As metadata and options have it.
constexpr std::string_view layout_name(ImageLayout layout) {
  return layout == ImageLayout::kNchw ? "nchw" : "nhwc";
}

}  // namespace sealite

#pragma once

#include "base/error.h"
#include "base/image_shape.h"
#include "model/detector_graph.h"

// What the graphs of both parts have around their network.
namespace sealite::model {

/// Adds the input "image" in the layout asked for; returns it as NHWC.
inline graph::ValueId image_input(graph::Builder& builder, const InterfaceOptions& options) {
  const Shape shape = image_shape(options.layout, options.batch, options.height, options.width);
  const graph::ValueId image = builder.input("image", shape, graph::Mark::kPicture);
  if (options.layout == ImageLayout::kNhwc) return image;
  return builder.marked(builder.add("image.nhwc", graph::Transpose{{0, 2, 3, 1}}, {image}),
                        graph::Mark::kPicture);
}

/// Runs `build`. The weights fit the card (check_parameters), so what does not fit is the picture: throws
/// kUsage with `words` in front for shape inference's kInternal.
template <typename Build>
graph::ValueId blame_the_picture(std::string_view words, Build&& build) {
  try {
    return std::forward<Build>(build)();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) throw;
    fail(ErrorCode::kUsage, "{}: {}", words, error.what());
  }
}

}  // namespace sealite::model

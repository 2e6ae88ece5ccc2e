#pragma once

#include "graph/graph.h"
#include "model/network.h"
#include "sealite/image_layout.h"

namespace sealite::model {

/// The outer interface of a converted model.
struct InterfaceOptions {
  ImageLayout layout = ImageLayout::kNchw;
  std::int64_t batch = 1;
  std::int64_t height = 256;
  std::int64_t width = 256;
};

/// The whole detector: input "image", float32 RGB in [0,1], [N,3,H,W] or [N,H,W,3]; output "logits" [N, 1 +
/// bits] (pixelwise: in the input's layout). NHWC inside: an NCHW image is transposed once. Throws kUsage if
/// the picture is too small for the network.
graph::Graph build_detector_graph(const DetectorNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options);

}  // namespace sealite::model

#pragma once

#include "model/detector_graph.h"

namespace sealite::model {

/// The whole embedder. Inputs: "image", float32 RGB in [0,1], [N,3,H,W] or
/// [N,H,W,3], also for networks that work on luma (it is computed inside); "message", float32 zeros and ones
/// [N, bits]. Output "delta" [N,C,H,W] or [N,H,W,C], C = 1 for luma: what is attenuated, scaled and added to
/// the picture. Throws kUsage if the picture's height or width does not suit the network.
graph::Graph build_embedder_graph(const EmbedderNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options);

}  // namespace sealite::model

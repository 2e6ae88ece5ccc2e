#pragma once

#include <functional>
#include <vector>

#include "graph/evaluate.h"
#include "sealite/verify.h"

namespace sealite::verify {

/// What `compare_layers` finds for one picture.
struct LayerComparison {
  std::vector<LayerDifference> layers;  ///< Those that both graphs have, in the original's order.
  graph::Tensor original;               ///< The outputs.
  graph::Tensor stored;
};

/// Runs the original network and the one that the file holds side by side on `picture` (NHWC in the original,
/// in the file's own layout in the stored one) and compares every layer that has the same name and meaning in
/// both: not the norms, whose scale and mean the passes move into the next layer. `advance` is called for
/// each node of either.
LayerComparison compare_layers(const graph::Graph& original, const graph::Graph& stored,
                               const graph::Tensor& picture, const std::function<void()>& advance);

/// The evaluator's output for `picture`, NHWC, in a graph whose input may be NCHW.
graph::Tensor run_graph(const graph::Graph& graph, const graph::Tensor& picture,
                        const std::function<void()>& advance);

}  // namespace sealite::verify

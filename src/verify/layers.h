#pragma once

#include <functional>
#include <vector>

#include "evaluate/evaluate.h"
#include "verify/examination.h"

namespace sealite::verify {

/// What `compare_layers` finds for one picture.
struct LayerComparison {
  std::vector<LayerDifference> layers;  ///< Those that both graphs have, in the original's order.
  evaluate::Tensor original;            ///< The outputs.
  evaluate::Tensor stored;
};

/// A picture as a graph's inputs: image [1,H,W,3], and message [1, bits] if it has one.
std::vector<evaluate::Tensor> to_tensors(const Picture& picture);

/// Runs the original network and the one that the file holds side by side on `inputs` (the image NHWC in the
/// original, in the file's own layout in the stored one) and compares every layer that has the same name and
/// meaning in both: not the norms, whose scale and mean the passes move into the next layer. `advance` is
/// called for each node of either.
LayerComparison compare_layers(const graph::Graph& original, const graph::Graph& stored,
                               const std::vector<evaluate::Tensor>& inputs,
                               const std::function<void()>& advance);

/// The evaluator's output for `inputs`, NHWC, in a graph whose image may be NCHW.
evaluate::Tensor run_graph(const graph::Graph& graph, const std::vector<evaluate::Tensor>& inputs,
                           const std::function<void()>& advance);

}  // namespace sealite::verify

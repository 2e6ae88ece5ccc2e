#pragma once

#include <functional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace sealite::graph {

/// Values with their shape, row-major.
struct Tensor {
  Shape shape;
  std::vector<float> values;
};

/// Called with every node's output as soon as it is there.
using Observer = std::function<void(const Node&, const Tensor&)>;

/// Runs `graph` in float32 with plain loops (Eigen for the products): the oracle for passes, for the runtime
/// and for `verify`. Inputs may have another batch size, height or width than the graph says, as long as no
/// op fixes them. Activations are freed after their last use, weights after each node. Throws kInternal on
/// inputs that do not fit.
std::vector<Tensor> evaluate(const Graph& graph, std::vector<Tensor> inputs, const Observer& observer = {});

}  // namespace sealite::graph

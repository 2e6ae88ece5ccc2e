#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace sealite::evaluate {

/// Values with their shape, row-major.
struct Tensor {
  Shape shape;
  std::vector<float> values;
};

/// Runs a graph node by node in float32 with plain loops (SIMD for the products): the oracle for passes, for
/// the runtime and for `verify`. Inputs may have another batch size, height or width than the graph says, as
/// long as no op fixes them. Activations are freed after their last use, weights after each node.
class Evaluator {
 public:
  /// Throws kInternal on inputs that do not fit.
  Evaluator(const graph::Graph& graph, std::vector<Tensor> inputs);

  /// Runs the next node and returns its output, which the caller may still change.
  Tensor& step();
  bool done() const { return next_ == graph_->nodes.size(); }
  const graph::Node& next_node() const { return graph_->nodes[next_]; }
  /// What `node` of `other`, a rewrite of this graph, makes of the values that are live here; nothing changes
  /// here.
  Tensor preview(const graph::Graph& other, const graph::Node& node) const;
  /// A value that has been made and is still needed.
  const Tensor& value(graph::ValueId id) const {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): value() throws if it is gone
    return live_[static_cast<std::size_t>(id)].value();
  }
  /// The graph's outputs, once done.
  std::vector<Tensor> outputs() const;

 private:
  const graph::Graph* graph_;
  std::size_t next_ = 0;
  std::vector<std::optional<Tensor>> live_;
  std::vector<std::size_t> last_use_;
};

/// Called with every node's output as soon as it is there.
using Observer = std::function<void(const graph::Node&, const Tensor&)>;

/// All of an Evaluator's steps.
std::vector<Tensor> evaluate(const graph::Graph& graph, std::vector<Tensor> inputs,
                             const Observer& observer = {});

}  // namespace sealite::evaluate

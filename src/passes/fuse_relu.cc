#include "passes/rules.h"

namespace sealite::passes {
namespace {

// The same op with a ReLU as its activation, if it can have one.
std::optional<graph::Op> with_relu(const graph::Op& op) {
  if (activation_of(op) != graph::Activation::kNone) return std::nullopt;
  if (const auto* conv = std::get_if<graph::Conv2D>(&op)) {
    graph::Conv2D fused = *conv;
    fused.activation = graph::Activation::kRelu;
    return fused;
  }
  if (std::holds_alternative<graph::FullyConnected>(op))
    return graph::FullyConnected{graph::Activation::kRelu};
  const auto* binary = std::get_if<graph::Binary>(&op);
  if (binary == nullptr || binary->kind == graph::BinaryKind::kSquaredDifference) return std::nullopt;
  return graph::Binary{binary->kind, graph::Activation::kRelu};
}

}  // namespace

std::optional<ValueId> fuse_relu(const Graph& graph, const Node& node, Builder& patch) {
  const auto* unary = std::get_if<graph::Unary>(&node.op);
  if (unary == nullptr || unary->kind != graph::UnaryKind::kRelu) return std::nullopt;
  const Node* producer = graph.producer(node.inputs[0]);
  if (producer == nullptr || graph.use_count(producer->output) != 1) return std::nullopt;
  const std::optional<graph::Op> fused = with_relu(producer->op);
  if (!fused) return std::nullopt;
  return patch.marked(patch.add(producer->name, *fused, producer->inputs),
                      graph.value(producer->output).mark);
}

}  // namespace sealite::passes

#include <cmath>

#include "graph/source.h"
#include "passes/rules.h"

namespace sealite::passes {
namespace {

using graph::SourcePtr;

// A trained BatchNorm as x * scales + offsets.
struct Affine {
  std::vector<float> scales;
  std::vector<float> offsets;
};

// With `bias` (or nullptr) added to x first: the offset is then (bias - mean) * scale + beta, in double.
Affine affine_of(const Graph& graph, const Node& node, const SourcePtr& bias) {
  const auto vector = [&](std::size_t input) { return read_floats(*graph.value(node.inputs[input]).source); };
  const std::vector<float> gamma = vector(1);
  const std::vector<float> beta = vector(2);
  const std::vector<float> mean = vector(3);
  const std::vector<float> variance = vector(4);
  const std::vector<float> added = bias ? read_floats(*bias) : std::vector<float>(gamma.size(), 0.0F);
  const auto epsilon = static_cast<double>(std::get<graph::BatchNorm>(node.op).epsilon);
  Affine affine;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double scale =
        static_cast<double>(gamma[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    const double offset = (static_cast<double>(added[c]) - static_cast<double>(mean[c])) * scale;
    affine.scales.push_back(static_cast<float>(scale));
    affine.offsets.push_back(static_cast<float>(offset + static_cast<double>(beta[c])));
  }
  return affine;
}

// The CONV_2D or FULLY_CONNECTED that only the norm reads.
const Node* linear_before(const Graph& graph, const Node& node) {
  const Node* conv = sole_producer<graph::Conv2D>(graph, node);
  const Node* linear = conv != nullptr ? conv : sole_producer<graph::FullyConnected>(graph, node);
  if (linear == nullptr || !graph.value(linear->inputs[1]).source) return nullptr;
  return activation_of(linear->op) == graph::Activation::kNone ? linear : nullptr;
}

}  // namespace

// Scaling an output channel scales a row of the filter, whatever the padding. Without a linear layer before
// it a norm becomes a product and a sum.
std::optional<ValueId> fold_batch_norm(const Graph& graph, const Node& node, Builder& patch) {
  if (!std::holds_alternative<graph::BatchNorm>(node.op)) return std::nullopt;
  const auto channels = graph.shape(node.output).back();
  const Node* linear = linear_before(graph, node);
  if (linear == nullptr) {
    Affine affine = affine_of(graph, node, nullptr);
    const ValueId scales = patch.constant(node.name + ".scale", {channels}, std::move(affine.scales));
    const ValueId offsets = patch.constant(node.name + ".offset", {channels}, std::move(affine.offsets));
    const ValueId y = patch.binary(node.name + ".scaled", graph::BinaryKind::kMul, node.inputs[0], scales);
    return patch.binary(node.name, graph::BinaryKind::kAdd, y, offsets);
  }
  const graph::Value& filter = graph.value(linear->inputs[1]);
  const graph::Value& bias = graph.value(linear->inputs[2]);
  Affine affine = affine_of(graph, node, bias.source);
  const ValueId y = patch.add(
      linear->name, linear->op,
      {linear->inputs[0], patch.constant(filter.name, scaled_rows(filter.source, std::move(affine.scales))),
       patch.constant(bias.name, {channels}, std::move(affine.offsets))});
  return patch.marked(y, graph.value(linear->output).mark);
}

}  // namespace sealite::passes

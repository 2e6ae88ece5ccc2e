#include "passes/rules.h"

namespace sealite::passes {

using graph::BinaryKind;
using graph::UnaryKind;

std::optional<ValueId> lower_layer_norm(const Graph& graph, const Node& node, Builder& patch) {
  const auto* norm = std::get_if<graph::LayerNorm>(&node.op);
  if (norm == nullptr) return std::nullopt;
  const ValueId x = node.inputs[0];
  const int channel_axis = static_cast<int>(graph.shape(x).size()) - 1;
  const std::string& name = node.name;
  const ValueId mean = patch.mean(name + ".mean", x, {channel_axis});
  const ValueId squares = patch.binary(name + ".squares", BinaryKind::kSquaredDifference, x, mean);
  const ValueId variance = patch.mean(name + ".variance", squares, {channel_axis});
  const ValueId epsilon = patch.constant(name + ".epsilon", {}, {norm->epsilon});
  const ValueId padded = patch.binary(name + ".padded", BinaryKind::kAdd, variance, epsilon);
  const ValueId scale = patch.unary(name + ".scale", UnaryKind::kRsqrt, padded);
  ValueId y = norm->subtract_mean ? patch.binary(name + ".centered", BinaryKind::kSub, x, mean) : x;
  y = patch.binary(name + ".normalized", BinaryKind::kMul, y, scale);
  if (node.inputs.size() == 1) return y;
  y = patch.binary(name + ".scaled", BinaryKind::kMul, y, node.inputs[1]);
  return patch.binary(name + ".shifted", BinaryKind::kAdd, y, node.inputs[2]);
}

// gamma * (x * N) + beta + x = x * (gamma * N + 1) + beta: all but one product is on [N,1,1,C].
std::optional<ValueId> lower_grn(const Graph& graph, const Node& node, Builder& patch) {
  const auto* grn = std::get_if<graph::GlobalResponseNorm>(&node.op);
  if (grn == nullptr) return std::nullopt;
  const ValueId x = node.inputs[0];
  const std::int64_t channels = graph.shape(x).back();
  const std::string& name = node.name;
  const ValueId squares = patch.binary(name + ".squares", BinaryKind::kMul, x, x);
  const ValueId sums =
      patch.marked(patch.add(name + ".sums", graph::Reduce{graph::ReduceKind::kSum, {1, 2}, true}, {squares}),
                   graph::Mark::kGrnSums);
  const ValueId norms = patch.unary(name + ".norms", UnaryKind::kSqrt, sums);
  // Mean over C plus epsilon as one product: an operator less than MEAN and ADD.
  const float share = 1.0F / static_cast<float>(channels);
  const ValueId mean =
      patch.add(name + ".mean", graph::FullyConnected{},
                {norms, patch.constant(name + ".mean.weight", graph::filled({1, channels}, share)),
                 patch.constant(name + ".mean.bias", {1}, {grn->epsilon})});
  ValueId scale = patch.binary(name + ".ratio", BinaryKind::kDiv, norms, mean);
  scale = patch.binary(name + ".scaled", BinaryKind::kMul, scale, node.inputs[1]);
  scale = patch.binary(name + ".scale", BinaryKind::kAdd, scale, patch.constant(name + ".one", {}, {1.0F}));
  patch.marked(scale, graph::Mark::kGrnScale);
  const ValueId y = patch.binary(name + ".product", BinaryKind::kMul, x, scale);
  return node.inputs.size() == 3 ? patch.binary(name + ".shifted", BinaryKind::kAdd, y, node.inputs[2]) : y;
}

std::optional<ValueId> lower_rms_norm(const Graph& graph, const Node& node, Builder& patch) {
  const auto* norm = std::get_if<graph::RmsNorm>(&node.op);
  if (norm == nullptr) return std::nullopt;
  const ValueId x = node.inputs[0];
  const int channel_axis = static_cast<int>(graph.shape(x).size()) - 1;
  const std::string& name = node.name;
  const ValueId squares = patch.binary(name + ".squares", BinaryKind::kMul, x, x);
  const ValueId mean = patch.mean(name + ".mean", squares, {channel_axis});
  const ValueId epsilon = patch.constant(name + ".epsilon", {}, {norm->epsilon});
  const ValueId padded = patch.binary(name + ".padded", BinaryKind::kAdd, mean, epsilon);
  const ValueId scale = patch.unary(name + ".scale", UnaryKind::kRsqrt, padded);
  const ValueId y = patch.binary(name + ".normalized", BinaryKind::kMul, x, scale);
  return patch.binary(name + ".scaled", BinaryKind::kMul, y, node.inputs[1]);
}

std::optional<ValueId> lower_group_norm(const Graph& graph, const Node& node, Builder& patch) {
  const auto* norm = std::get_if<graph::GroupNorm>(&node.op);
  if (norm == nullptr) return std::nullopt;
  const Shape& shape = graph.shape(node.inputs[0]);
  const std::string& name = node.name;
  const Shape grouped = {-1, shape[1] * shape[2], norm->groups, shape[3] / norm->groups};
  const ValueId x = patch.add(name + ".groups", graph::Reshape{grouped}, {node.inputs[0]});
  const ValueId mean = patch.mean(name + ".mean", x, {1, 3});
  const ValueId squares = patch.binary(name + ".squares", BinaryKind::kSquaredDifference, x, mean);
  const ValueId variance = patch.mean(name + ".variance", squares, {1, 3});
  const ValueId epsilon = patch.constant(name + ".epsilon", {}, {norm->epsilon});
  const ValueId padded = patch.binary(name + ".padded", BinaryKind::kAdd, variance, epsilon);
  const ValueId scale = patch.unary(name + ".scale", UnaryKind::kRsqrt, padded);
  ValueId y = patch.binary(name + ".centered", BinaryKind::kSub, x, mean);
  y = patch.binary(name + ".normalized", BinaryKind::kMul, y, scale);
  y = patch.add(name + ".pixels", graph::Reshape{{-1, shape[1], shape[2], shape[3]}}, {y});
  y = patch.binary(name + ".scaled", BinaryKind::kMul, y, node.inputs[1]);
  return patch.binary(name + ".shifted", BinaryKind::kAdd, y, node.inputs[2]);
}

}  // namespace sealite::passes

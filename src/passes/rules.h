#pragma once

#include "passes/pass.h"

// The rewrites, each in a file of its own name.
namespace sealite::passes {

using graph::Builder;
using graph::Graph;
using graph::Node;
using graph::ValueId;

std::optional<ValueId> fold_scalar_affine(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fold_batch_norm(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fold_skip_scale(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> split_concatenation(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> hoist_repeated(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fold_norm_affine(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fold_norm_mean(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fold_grn_beta(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> lower_layer_norm(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> lower_grn(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> lower_rms_norm(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> lower_group_norm(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> fuse_relu(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> split_depthwise(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> lower_reflection_pad(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> split_small_convolution(const Graph& graph, const Node& node, Builder& patch);
std::optional<ValueId> strip_hidden(const Graph& graph, const Node& node, Builder& patch);

/// A FULLY_CONNECTED, or a CONV_2D without padding: y = linear(x, filter, bias), so that a per-channel affine
/// map of x can move into filter and bias exactly (a padding zero would not get the affine map's offset).
bool is_padless_linear(const graph::Op& op);

/// The producer of the node's first input if it is an `OpType` that nothing else reads, else nullptr.
template <typename OpType>
const Node* sole_producer(const Graph& graph, const Node& node) {
  const Node* producer = graph.producer(node.inputs[0]);
  if (producer == nullptr || !std::holds_alternative<OpType>(producer->op)) return nullptr;
  return graph.use_count(producer->output) == 1 ? producer : nullptr;
}

}  // namespace sealite::passes

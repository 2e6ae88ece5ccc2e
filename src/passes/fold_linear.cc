#include "graph/source.h"
#include "passes/rules.h"

namespace sealite::passes {
namespace {

using graph::SourcePtr;

// The same linear node on another input, with another filter and bias.
ValueId rebuild(const Graph& graph, const Node& node, Builder& patch, ValueId x, SourcePtr filter,
                SourcePtr bias) {
  return patch.add(node.name, node.op,
                   {x, patch.constant(graph.value(node.inputs[1]).name, std::move(filter)),
                    patch.constant(graph.value(node.inputs[2]).name, std::move(bias))});
}

const SourcePtr& filter_of(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[1]).source;
}

const SourcePtr& bias_of(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[2]).source;
}

}  // namespace

bool is_padless_linear(const graph::Op& op) {
  if (std::holds_alternative<graph::FullyConnected>(op)) return true;
  const auto* conv = std::get_if<graph::Conv2D>(&op);
  return conv != nullptr && conv->padding == graph::Padding::kValid;
}

std::optional<ValueId> fold_scalar_affine(const Graph& graph, const Node& node, Builder& patch) {
  if (!is_padless_linear(node.op)) return std::nullopt;
  const Node* affine = sole_producer<graph::Binary>(graph, node);
  if (affine == nullptr || !graph.value(affine->inputs[1]).source) return std::nullopt;
  const graph::Value& operand = graph.value(affine->inputs[1]);
  if (element_count(operand.shape) != 1 || graph.value(affine->inputs[0]).source) return std::nullopt;
  // [1,1,1] * [N,C] has an axis more than [N,C].
  if (graph.shape(affine->inputs[0]) != graph.shape(affine->output)) return std::nullopt;
  const auto& binary = std::get<graph::Binary>(affine->op);
  if (binary.activation != graph::Activation::kNone) return std::nullopt;
  const float scalar = read_floats(*operand.source)[0];
  const SourcePtr& filter = filter_of(graph, node);
  const SourcePtr& bias = bias_of(graph, node);
  const auto channels = static_cast<std::size_t>(filter->shape().back());
  const auto each = [&](float value) { return std::vector<float>(channels, value); };
  switch (binary.kind) {
    case graph::BinaryKind::kMul:
      return rebuild(graph, node, patch, affine->inputs[0], scaled_columns(filter, each(scalar)), bias);
    case graph::BinaryKind::kAdd:
      return rebuild(graph, node, patch, affine->inputs[0], filter, folded_bias(bias, filter, each(scalar)));
    case graph::BinaryKind::kSub:
      return rebuild(graph, node, patch, affine->inputs[0], filter, folded_bias(bias, filter, each(-scalar)));
    default:
      return std::nullopt;
  }
}

std::optional<ValueId> fold_norm_affine(const Graph& graph, const Node& node, Builder& patch) {
  if (!is_padless_linear(node.op)) return std::nullopt;
  const Node* norm = sole_producer<graph::LayerNorm>(graph, node);
  if (norm == nullptr || norm->inputs.size() != 3) return std::nullopt;
  const ValueId bare = patch.add(norm->name, norm->op, {norm->inputs[0]});
  const SourcePtr& filter = filter_of(graph, node);
  std::vector<float> gamma = read_floats(*graph.value(norm->inputs[1]).source);
  std::vector<float> beta = read_floats(*graph.value(norm->inputs[2]).source);
  return rebuild(graph, node, patch, bare, scaled_columns(filter, std::move(gamma)),
                 folded_bias(bias_of(graph, node), filter, std::move(beta)));
}

// sum over c of W[o,c] (x[c] - mean) = sum over c of (W[o,c] - mean over c of W[o,c]) x[c]: the subtraction,
// a pass over the whole activation, costs nothing when the filter's rows are centred instead.
std::optional<ValueId> fold_norm_mean(const Graph& graph, const Node& node, Builder& patch) {
  if (!is_padless_linear(node.op)) return std::nullopt;
  const Node* norm = sole_producer<graph::LayerNorm>(graph, node);
  if (norm == nullptr || norm->inputs.size() != 1) return std::nullopt;
  auto op = std::get<graph::LayerNorm>(norm->op);
  if (!op.subtract_mean) return std::nullopt;
  op.subtract_mean = false;
  const ValueId bare = patch.add(norm->name, op, {norm->inputs[0]});
  return rebuild(graph, node, patch, bare, centered_columns(filter_of(graph, node)), bias_of(graph, node));
}

std::optional<ValueId> fold_grn_beta(const Graph& graph, const Node& node, Builder& patch) {
  if (!is_padless_linear(node.op)) return std::nullopt;
  const Node* grn = sole_producer<graph::GlobalResponseNorm>(graph, node);
  if (grn == nullptr || grn->inputs.size() != 3) return std::nullopt;
  const ValueId bare = patch.add(grn->name, grn->op, {grn->inputs[0], grn->inputs[1]});
  const SourcePtr& filter = filter_of(graph, node);
  std::vector<float> beta = read_floats(*graph.value(grn->inputs[2]).source);
  return rebuild(graph, node, patch, bare, filter,
                 folded_bias(bias_of(graph, node), filter, std::move(beta)));
}

}  // namespace sealite::passes

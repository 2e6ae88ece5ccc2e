#include "graph/source.h"
#include "passes/channel_chain.h"

namespace sealite::passes {
namespace {

// The scalar of `x * scalar` if that is what `id` is and nothing else reads it.
std::optional<float> scale_of(const Graph& graph, ValueId id) {
  const Node* node = graph.producer(id);
  const auto* binary = node == nullptr ? nullptr : std::get_if<graph::Binary>(&node->op);
  if (binary == nullptr || binary->kind != graph::BinaryKind::kMul ||
      binary->activation != graph::Activation::kNone || graph.use_count(id) != 1) {
    return std::nullopt;
  }
  const graph::Value& scalar = graph.value(node->inputs[1]);
  if (!scalar.source || element_count(scalar.shape) != 1 ||
      graph.shape(node->inputs[0]) != graph.shape(node->output)) {
    return std::nullopt;
  }
  return read_floats(*scalar.source)[0];
}

}  // namespace

// conv(pad(resize(concat(x, skip * s)))) with the columns of the filter that meet `skip` scaled instead: a
// pass over the skip less. Padding is no matter, since a scale maps zero to zero.
std::optional<ValueId> fold_skip_scale(const Graph& graph, const Node& node, Builder& patch) {
  const auto chain = chain_before(graph, node);
  if (!chain) return std::nullopt;
  const Node* join = joined_channels(graph, *chain);
  if (join == nullptr || graph.use_count(join->output) != 1) return std::nullopt;
  std::vector<ValueId> parts;
  std::vector<float> factors;
  bool found = false;
  for (const ValueId part : join->inputs) {
    const std::optional<float> scale = scale_of(graph, part);
    found = found || scale.has_value();
    parts.push_back(scale ? graph.producer(part)->inputs[0] : part);
    factors.insert(factors.end(), static_cast<std::size_t>(graph.shape(part).back()), scale.value_or(1.0F));
  }
  if (!found) return std::nullopt;
  const graph::Value& filter = graph.value(node.inputs[1]);
  const ValueId x = chain->rebuild(patch, patch.add(join->name, join->op, std::move(parts)));
  return patch.add(
      node.name, node.op,
      {x, patch.constant(filter.name, scaled_columns(filter.source, std::move(factors))), node.inputs[2]});
}

}  // namespace sealite::passes

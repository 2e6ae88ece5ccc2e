#include <fmt/format.h>

#include "passes/channel_chain.h"
#include "passes/sum_of_parts.h"

namespace sealite::passes {

// conv(concat(a, b)) = conv_a(a) + conv_b(b), each with its columns of the filter; the bias is in the first.
// Where integers are multiplied, the runtime measures one range for the whole input: a and b then have their
// own.
std::optional<ValueId> split_concatenation(const Graph& graph, const Node& node, Builder& patch) {
  const auto chain = chain_before(graph, node);
  if (!chain || activation_of(node.op) != graph::Activation::kNone) return std::nullopt;
  const Node* join = joined_channels(graph, *chain);
  if (join == nullptr) return std::nullopt;
  const graph::Value& filter = graph.value(node.inputs[1]);
  SumOfParts parts(graph, node, patch);
  std::int64_t column = 0;
  for (std::size_t i = 0; i < join->inputs.size(); ++i) {
    const std::string suffix = fmt::format(".part{}", i);
    const std::int64_t channels = graph.shape(join->inputs[i]).back();
    const ValueId part = patch.constant(filter.name + suffix, column_range(filter.source, column, channels));
    parts.add(suffix, node.op, chain->rebuild(patch, join->inputs[i], suffix), part);
    column += channels;
  }
  return parts.sum();
}

}  // namespace sealite::passes

#include "passes/channel_chain.h"

#include <algorithm>

namespace sealite::passes {
namespace {

bool keeps_channels(const graph::Op& op) {
  return std::holds_alternative<graph::ResizeBilinear>(op) ||
         std::holds_alternative<graph::ReflectionPad>(op) || std::holds_alternative<graph::ZeroPad>(op);
}

}  // namespace

ValueId ChannelChain::rebuild(Builder& patch, ValueId x, const std::string& suffix) const {
  for (const Node* link : links) x = patch.add(link->name + suffix, link->op, {x});
  return x;
}

std::optional<ChannelChain> chain_before(const Graph& graph, const Node& node) {
  const bool linear = std::holds_alternative<graph::Conv2D>(node.op) ||
                      std::holds_alternative<graph::FullyConnected>(node.op);
  if (!linear || !graph.value(node.inputs[1]).source) return std::nullopt;
  ChannelChain chain{node.inputs[0], {}};
  const Node* before = graph.producer(chain.start);
  while (before != nullptr && keeps_channels(before->op) && graph.use_count(before->output) == 1) {
    chain.links.push_back(before);
    chain.start = before->inputs[0];
    before = graph.producer(chain.start);
  }
  std::ranges::reverse(chain.links);
  return chain;
}

const Node* joined_channels(const Graph& graph, const ChannelChain& chain) {
  const Node* node = graph.producer(chain.start);
  const auto* join = node == nullptr ? nullptr : std::get_if<graph::Concatenation>(&node->op);
  if (join == nullptr || static_cast<std::size_t>(join->axis) + 1 != graph.shape(node->output).size())
    return nullptr;
  return node;
}

}  // namespace sealite::passes

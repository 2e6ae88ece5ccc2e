#pragma once

#include <vector>

#include "passes/rules.h"

namespace sealite::passes {

/// Nodes that treat every channel alike and linearly (resizes, paddings), each read by the next one only,
/// from the value where they start to a CONV_2D or FULLY_CONNECTED.
struct ChannelChain {
  ValueId start{};
  std::vector<const Node*> links;  // in the order in which they run

  /// The same nodes on another start; their names get `suffix`.
  ValueId rebuild(Builder& patch, ValueId x, const std::string& suffix = {}) const;
};

/// The chain before `node`, if that is a CONV_2D or FULLY_CONNECTED with a constant filter.
std::optional<ChannelChain> chain_before(const Graph& graph, const Node& node);

/// The node that joins channels at the start of the chain, or nullptr.
const Node* joined_channels(const Graph& graph, const ChannelChain& chain);

}  // namespace sealite::passes

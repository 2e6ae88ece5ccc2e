#pragma once

#include <string_view>

#include "graph/graph.h"

namespace sealite::graph {

/// The shape of the output of `op` on `inputs`. Throws kInternal, naming `name`, when they do not fit each
/// other.
Shape infer_shape(const Graph& graph, const Op& op, const std::vector<ValueId>& inputs,
                  std::string_view name);

}  // namespace sealite::graph

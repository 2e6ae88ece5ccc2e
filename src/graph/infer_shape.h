#pragma once

#include <string_view>

#include "graph/graph.h"

namespace sealite::graph {

/// The shape of the output of `op` on `inputs`. Throws kInternal, naming `name`, when they do not fit each
/// other.
Shape infer_shape(const Graph& graph, const Op& op, const std::vector<ValueId>& inputs,
                  std::string_view name);

/// The shape of `op` with a -1 worked out for an input of shape `x`.
Shape reshaped_shape(const Reshape& op, const Shape& x);

/// A slice's sizes with every -1 worked out for an input of shape `x`.
Shape slice_size(const Slice& op, const Shape& x);

}  // namespace sealite::graph

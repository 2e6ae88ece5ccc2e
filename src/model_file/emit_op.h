#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "graph/graph.h"
#include "schema_generated.h"

namespace sealite::model_file {

/// A constant int32 tensor that an operator reads after the node's own inputs: axes, sizes, paddings.
struct IndexInput {
  std::vector<std::int32_t> values;
  Shape shape;  // [values.size()], but for the [4, 2] of paddings
  auto operator<=>(const IndexInput&) const = default;
};

/// One graph operator in the file's terms.
struct EmittedOp {
  tfl::BuiltinOperator code = tfl::BuiltinOperator::ADD;
  int version = 1;
  tfl::BuiltinOptionsUnion options;
  std::vector<IndexInput> index_inputs;
};

/// The TFLite operator of `node`. Throws kInternal for a composite: the passes have lowered those.
EmittedOp emit_op(const graph::Graph& graph, const graph::Node& node);

}  // namespace sealite::model_file

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "graph/graph.h"
#include "schema_generated.h"

namespace sealite::tflite {

/// One graph operator in the file's terms.
struct EmittedOp {
  tfl::BuiltinOperator code = tfl::BuiltinOperator::ADD;
  int version = 1;
  tfl::BuiltinOptionsUnion options;
  std::vector<std::vector<std::int32_t>> index_inputs;  // int32 vectors that follow the node's own inputs
};

/// The TFLite operator of `node`. Throws kInternal for a composite: the passes have lowered those.
EmittedOp emit_op(const graph::Graph& graph, const graph::Node& node);

}  // namespace sealite::tflite

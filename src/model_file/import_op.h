#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "graph/op.h"
#include "schema_generated.h"

namespace sealite::model_file {

/// An operator read back: the op, and how many of the operator's inputs are its own; those after them were
/// lists of axes or sizes that the op holds now.
struct ImportedOp {
  graph::Op op;
  std::size_t inputs = 1;
};

/// Reads the constant int32 list that is input `index` of the operator. Throws kUnsupported if it is none.
using ReadList = std::function<std::vector<std::int32_t>(std::size_t index)>;

/// The inverse of `emit_op`. Throws kUnsupported, naming what Sealite does not write.
ImportedOp import_op(tfl::BuiltinOperator code, const tfl::Operator& op, const ReadList& read_list);

}  // namespace sealite::model_file

#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/dtype.h"
#include "graph/graph.h"

namespace sealite::graph {

/// How many values are stored in each type.
using StoredValues = std::map<DType, std::uint64_t>;

/// Of the constants that nodes read.
StoredValues stored_values(const Graph& graph);

/// The recipe that such weights belong to: "int4", "int8", "fp16" or "float32", by the coarsest type that
/// holds at least one value in a hundred: a single small tensor does not make a coarse file.
std::string_view precision_of(const StoredValues& values);

}  // namespace sealite::graph

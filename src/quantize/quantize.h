#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/parameters.h"
#include "quantize/recipe.h"

namespace sealite::quantize {

struct QuantizeOptions {
  const Recipe* recipe = nullptr;
  std::vector<KeepRule> keep;
  // Empty: kMse at 4 bits, where clipping can pay; kMaxAbs at 8, where it does not and the search costs more
  // time than the rest of the conversion (docs/quantisation.md).
  std::optional<ScaleSearch> search;
  bool correct_bias = true;  // by what rounding does to the expected input, where the weights alone tell it
};

/// Rewrites `graph` (lowered by the passes) as the recipe says: filters become integers with scales, or
/// fp16 values with a DEQUANTIZE. Only scales are computed here; the weights are quantised block by block
/// when they are written.
void quantize(graph::Graph& graph, const QuantizeOptions& options);

/// Whether a node's filter is stored with fewer bits: an integer constant, or fp16 behind a DEQUANTIZE.
bool is_quantized(const graph::Graph& graph, const graph::Node& node);

}  // namespace sealite::quantize

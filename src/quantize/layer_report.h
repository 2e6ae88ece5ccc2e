#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluate/evaluate.h"
#include "graph/graph.h"

namespace sealite::quantize {

/// What quantising did to one layer. Errors are relative: norm of the difference / norm of the original.
struct LayerError {
  std::string name;
  std::string format;  // "int8", "int4", "fp16"
  std::uint64_t weights = 0;
  double weight_error = 0;
  std::optional<double> output_error;   // of the layer's output, on exact inputs
  std::optional<double> logits_effect;  // of the graph's output when only this layer is quantised
};

/// One entry for each quantised layer of `quantized`, a rewrite of `original`, the worst first: by its effect
/// on the graph's output if there are `inputs` (one for each of the graph's, any batch; empty for none), else
/// by its weight error. The effect of each layer takes a run of all layers after it.
std::vector<LayerError> report_layers(const graph::Graph& original, const graph::Graph& quantized,
                                      const std::vector<evaluate::Tensor>& inputs);

}  // namespace sealite::quantize

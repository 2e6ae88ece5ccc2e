#pragma once

#include "evaluate/evaluate.h"
#include "graph/graph.h"

namespace sealite::quantize {

/// Improves `quantized`, a rewrite of `original`, on `inputs` (one for each of the graph's, any batch size),
/// layer by layer, each on the inputs that the improved ones before it give, so that what is left over does
/// not add up. Corrects each layer's bias by its mean output error: rounding a filter shifts each output
/// channel by a constant, and that is most of what int8 changes in the logits. With `compensate`, integer
/// filters are first rounded anew as gptq.h says. Runs both graphs side by side in the evaluator.
void calibrate(const graph::Graph& original, graph::Graph& quantized,
               const std::vector<evaluate::Tensor>& inputs, bool compensate);

}  // namespace sealite::quantize

#pragma once

#include "graph/evaluate.h"
#include "graph/graph.h"

namespace sealite::quantize {

/// Corrects the bias of every quantised layer of `quantized`, a rewrite of `original`, by its mean output
/// error on `pictures` (the graph's input, any batch size): rounding a filter shifts each output channel by a
/// constant, and that is most of what int8 changes in the logits. Layers are corrected in order, each on the
/// inputs that the corrected ones before it give, so that what is left over does not add up (Nagel et al.
/// 2019, "Data-Free Quantization", §4.2; here measured). Runs both graphs side by side in the evaluator.
void correct_biases(const graph::Graph& original, graph::Graph& quantized, const graph::Tensor& pictures);

}  // namespace sealite::quantize

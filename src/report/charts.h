#pragma once

#include <string>
#include <vector>

#include "sealite/verify.h"

namespace sealite::report {

/// An SVG of the logits' distribution, the original's and the model's as two outlines over one axis. The
/// unused detection bit is left out.
std::string logit_histogram(const std::vector<ComparedOutput>& logits);

/// The same for the values of deltas.
std::string delta_histogram(const std::vector<ComparedOutput>& deltas);

/// An SVG of each layer's relative difference in running order, on a logarithmic axis, with the limit.
std::string layer_chart(const std::vector<LayerDifference>& layers, double limit);

}  // namespace sealite::report

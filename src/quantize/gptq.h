#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "evaluate/evaluate.h"
#include "graph/graph.h"

namespace sealite::quantize {

/// Error-compensating rounding (Frantar et al. 2022, "GPTQ", arXiv:2210.17323): rounds a filter's columns one
/// after another and moves each column's error onto those not rounded yet, as the inputs' second moments say,
/// so that the layer's output changes least. `weights` are the filter's exact values, rows of output channels
/// with one scale each; `limit` is the largest integer; `input` is what the layer (FULLY_CONNECTED or
/// CONV_2D) reads on the calibration pictures. Nothing for filters with more than 6144 inputs, whose second
/// moments would take too much memory.
std::optional<std::vector<std::int8_t>> round_compensated(const graph::Node& node,
                                                          const evaluate::Tensor& input,
                                                          const evaluate::Tensor& weights,
                                                          const std::vector<float>& scales,
                                                          std::int32_t limit);

}  // namespace sealite::quantize

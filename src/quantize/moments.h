#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"

namespace sealite::quantize {

/// Mean and variance of a value over pictures and pixels, for each channel (innermost axis) or once for all.
struct Moments {
  std::vector<float> mean;
  std::vector<float> variance;
};

/// Estimates the moments of every value of a graph from its weights alone, node by node: a picture has mean
/// 0.45 and variance 0.08, a message as many ones as zeros; linear layers are exact in the mean and take
/// their inputs as uncorrelated in the variance; GELU and ReLU take their input as normal. Good enough to
/// tell by how much rounding a filter shifts its outputs. After Nagel et al. 2019, "Data-Free Quantization
/// Through Weight Equalization and Bias Correction", which has batch normalisation to lean on.
class MomentEstimator {
 public:
  explicit MomentEstimator(const graph::Graph& graph);

  /// Of a value that has been made.
  const Moments& of(graph::ValueId id) const { return known_.at(id); }
  /// Records the output of a convolution or product: `sums` and `squares` are, for each output channel, the
  /// sums over its filter row of weight * input mean and weight^2 * input variance.
  void linear(const graph::Node& node, std::vector<float> sums, std::vector<float> squares,
              const std::vector<float>& bias);
  /// Works out the output of any other node.
  void step(const graph::Node& node);

 private:
  Moments operand(graph::ValueId id) const;
  Moments joined(const graph::Node& node) const;

  const graph::Graph& graph_;
  std::map<graph::ValueId, Moments> known_;
};

}  // namespace sealite::quantize

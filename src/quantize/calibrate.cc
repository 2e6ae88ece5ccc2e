#include "quantize/calibrate.h"

#include "base/error.h"
#include "base/progress.h"

namespace sealite::quantize {
namespace {

using graph::Evaluator;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

// For each channel (innermost axis), the mean of a - b over all other axes.
std::vector<float> mean_differences(const Tensor& a, const Tensor& b) {
  const auto channels = static_cast<std::size_t>(a.shape.back());
  std::vector<double> sums(channels, 0.0);
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    sums[i % channels] += static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]);
  }
  std::vector<float> means;
  const auto count = static_cast<double>(a.values.size() / channels);
  for (const double sum : sums) means.push_back(static_cast<float>(sum / count));
  return means;
}

void add_to_channels(Tensor& tensor, const std::vector<float>& shifts) {
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] += shifts[i % shifts.size()];
}

// Whether a node's filter is stored with fewer bits: an integer constant, or a half behind a DEQUANTIZE.
bool is_quantized(const Graph& graph, const Node& node) {
  if (node.inputs.size() != 3) return false;
  if (graph.value(node.inputs[1]).quantization) return true;
  const Node* producer = graph.producer(node.inputs[1]);
  return producer != nullptr && std::holds_alternative<graph::Dequantize>(producer->op);
}

// Moves each evaluator to just behind the node that makes `output`, and returns that output.
Tensor& run_to(Evaluator& evaluator, ValueId output) {
  while (evaluator.next_node().output != output) evaluator.step();
  return evaluator.step();
}

}  // namespace

void correct_biases(const Graph& original, Graph& quantized, const Tensor& pictures) {
  Evaluator exact(original, {pictures});
  Evaluator rounded(quantized, {pictures});
  Progress progress("calibrating", quantized.nodes.size());
  for (Node& node : quantized.nodes) {
    progress.advance(1);
    if (!is_quantized(quantized, node)) continue;
    Tensor& output = run_to(rounded, node.output);
    const std::vector<float> shifts = mean_differences(run_to(exact, node.output), output);
    add_to_channels(output, shifts);
    const graph::Value& bias = quantized.value(node.inputs[2]);
    std::vector<float> values = read_floats(*bias.source);
    for (std::size_t c = 0; c < values.size(); ++c) values[c] += shifts[c];
    node.inputs[2] = quantized.add_value(
        {bias.name, bias.type, bias.shape, graph::literal(bias.shape, std::move(values))});
  }
}

}  // namespace sealite::quantize

#include "quantize/layer_report.h"

#include <algorithm>
#include <cmath>

#include "base/progress.h"
#include "quantize/quantize.h"

namespace sealite::quantize {
namespace {

using evaluate::Evaluator;
using evaluate::Tensor;
using graph::Graph;
using graph::Node;
using graph::Value;

double relative_error(const std::vector<float>& wanted, const std::vector<float>& found) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double delta = static_cast<double>(wanted[i]) - static_cast<double>(found[i]);
    difference += delta * delta;
    norm += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
  }
  return norm == 0 ? 0 : std::sqrt(difference / norm);
}

// The integers or fp16 values of a quantised node.
const Value& stored_filter(const Graph& graph, const Node& node) {
  const Value& filter = graph.value(node.inputs[1]);
  return filter.source ? filter : graph.value(graph.producer(node.inputs[1])->inputs[0]);
}

std::string_view stored_format(DType type) {
  return type == DType::kFloat16 ? "fp16" : dtype_name(type);
}

LayerError weight_report(const Graph& original, const Node& before, const Graph& quantized,
                         const Node& after) {
  const Value& stored = stored_filter(quantized, after);
  LayerError layer;
  layer.name = after.name;
  layer.format = stored_format(stored.type);
  layer.weights = element_count(stored.shape).value_or(0);
  layer.weight_error =
      relative_error(read_floats(*original.value(before.inputs[1]).source), read_reals(stored));
  return layer;
}

const Node* counterpart(const Graph& quantized, const Node& node) {
  const Node* other = quantized.producer(node.output);
  return other != nullptr && is_quantized(quantized, *other) ? other : nullptr;
}

}  // namespace

std::vector<LayerError> report_layers(const Graph& original, const Graph& quantized,
                                      const std::vector<Tensor>& inputs) {
  std::vector<LayerError> layers;
  std::vector<std::vector<float>> changed_logits;
  std::optional<Evaluator> exact;
  if (!inputs.empty()) exact.emplace(original, inputs);
  Progress progress("measuring layers", original.nodes.size());
  for (const Node& node : original.nodes) {
    const Node* other = counterpart(quantized, node);
    if (other != nullptr) layers.push_back(weight_report(original, node, quantized, *other));
    if (exact && other != nullptr) {
      Tensor rounded = exact->preview(quantized, *other);
      Evaluator trial = *exact;
      Tensor& output = trial.step();
      layers.back().output_error = relative_error(output.values, rounded.values);
      output = std::move(rounded);
      while (!trial.done()) trial.step();
      changed_logits.push_back(trial.outputs()[0].values);
    }
    if (exact) exact->step();
    progress.advance(1);
  }
  if (exact) {
    const std::vector<float> logits = exact->outputs()[0].values;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i].logits_effect = relative_error(logits, changed_logits[i]);
    }
  }
  std::ranges::stable_sort(layers, std::greater(), [](const LayerError& layer) {
    return layer.logits_effect.value_or(layer.weight_error);
  });
  return layers;
}

}  // namespace sealite::quantize

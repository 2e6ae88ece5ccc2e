#include "quantize/calibrate.h"

#include "base/error.h"
#include "base/progress.h"
#include "quantize/gptq.h"
#include "quantize/quantize.h"

namespace sealite::quantize {
namespace {

using evaluate::Evaluator;
using evaluate::Tensor;
using graph::Graph;
using graph::Node;

// For each channel (innermost axis), the mean of a - b over all other axes.
std::vector<float> mean_differences(const Tensor& a, const Tensor& b) {
  const auto channels = static_cast<std::size_t>(a.shape.back());
  std::vector<double> sums(channels, 0.0);
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    sums[i % channels] += static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]);
  }
  std::vector<float> means;
  const std::size_t count = a.values.size() / channels;
  for (const double sum : sums) means.push_back(static_cast<float>(sum / static_cast<double>(count)));
  return means;
}

void add_to_channels(Tensor& tensor, const std::vector<float>& shifts) {
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] += shifts[i % shifts.size()];
}

class Calibration {
 public:
  Calibration(const Graph& original, Graph& quantized, const std::vector<Tensor>& inputs, bool compensate)
      : original_(original),
        quantized_(quantized),
        exact_(original, inputs),
        rounded_(quantized, inputs),
        compensate_(compensate) {}

  void run() {
    Progress progress("calibrating", quantized_.nodes.size());
    for (Node& node : quantized_.nodes) {
      progress.advance(1);
      if (!is_quantized(quantized_, node)) continue;
      while (rounded_.next_node().output != node.output) rounded_.step();
      if (compensate_ && quantized_.value(node.inputs[1]).quantization) round_again(node);
      correct_bias(node);
    }
  }

 private:
  void round_again(Node& node) {
    const graph::Value stored = quantized_.value(node.inputs[1]);
    const graph::Value& filter = original_.value(original_.producer(node.output)->inputs[1]);
    const Tensor weights{filter.shape, read_floats(*filter.source)};
    auto integers = round_compensated(node, rounded_.value(node.inputs[0]), weights,
                                      stored.quantization->scales, integer_limit(stored.type));
    if (!integers) return;
    graph::Value value = stored;
    value.source = literal_integers(stored.type, stored.shape, std::move(*integers));
    node.inputs[1] = quantized_.add_value(std::move(value));
  }

  void correct_bias(Node& node) {
    Tensor& output = rounded_.step();
    while (exact_.next_node().output != node.output) exact_.step();
    const std::vector<float> shifts = mean_differences(exact_.step(), output);
    add_to_channels(output, shifts);
    const graph::Value& bias = quantized_.value(node.inputs[2]);
    std::vector<float> values = read_floats(*bias.source);
    for (std::size_t c = 0; c < values.size(); ++c) values[c] += shifts[c];
    node.inputs[2] = quantized_.add_value(
        {bias.name, bias.type, bias.shape, graph::literal(bias.shape, std::move(values))});
  }

  const Graph& original_;
  Graph& quantized_;
  Evaluator exact_;
  Evaluator rounded_;
  bool compensate_;
};

}  // namespace

void calibrate(const Graph& original, Graph& quantized, const std::vector<Tensor>& inputs, bool compensate) {
  Calibration(original, quantized, inputs, compensate).run();
}

}  // namespace sealite::quantize

#include "quantize/quantize.h"

#include "graph/builder.h"
#include "quantize/moments.h"

namespace sealite::quantize {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;

bool has_filter(const Graph& graph, const Node& node) {
  return node.inputs.size() == 3 && graph.value(node.inputs[1]).source &&
         graph.value(node.inputs[2]).source && !is_composite(node.op);
}

class Rewriter {
 public:
  Rewriter(Graph& graph, const QuantizeOptions& options)
      : graph_(graph), options_(options), builder_(graph, nodes_), moments_(graph) {}

  void run() {
    for (Node node : graph_.nodes) {
      if (has_filter(graph_, node)) {
        rewrite(node, choose_format(graph_, node, *options_.recipe, options_.keep));
      } else {
        moments_.step(node);
      }
      nodes_.push_back(std::move(node));
    }
    graph_.nodes = std::move(nodes_);
  }

 private:
  void rewrite(Node& node, WeightFormat format) {
    const Value& filter = graph_.value(node.inputs[1]);
    RowScan scan = scan_filter(node, filter, format);
    // Read once: a folded bias is a product with the whole filter.
    const Value& bias = graph_.value(node.inputs[2]);
    std::vector<float> values = read_floats(*bias.source);
    moments_.linear(node, std::move(scan.sums), std::move(scan.squares), values);
    if (format == WeightFormat::kFloat32) return;
    if (format == WeightFormat::kFloat16) {
      const ValueId half = builder_.constant(filter.name, halved(filter.source));
      node.inputs[1] = builder_.add(filter.name + ".float32", graph::Dequantize{}, {half});
    } else {
      node.inputs[1] = add_integers(filter, format, std::move(scan.scales));
    }
    if (options_.correct_bias) {
      for (std::size_t c = 0; c < values.size(); ++c) values[c] += scan.shifts[c];
    }
    node.inputs[2] = builder_.constant(bias.name, bias.shape, std::move(values));
  }

  // A depthwise filter (1HWC) has its channels innermost: as rows they are C x HW, each with one input
  // channel.
  RowScan scan_filter(const Node& node, const Value& filter, WeightFormat format) const {
    const Moments& input = moments_.of(node.inputs[0]);
    const ScaleSearch search =
        options_.search.value_or(format == WeightFormat::kInt4 ? ScaleSearch::kMse : ScaleSearch::kMaxAbs);
    if (!std::holds_alternative<graph::DepthwiseConv2D>(node.op)) {
      return scan_rows(filter.name, *filter.source, format, search, input);
    }
    RowScan scan = scan_rows(filter.name, *permuted(filter.source, {3, 1, 2, 0}), format, search, {{1}, {1}});
    for (std::size_t c = 0; c < scan.sums.size(); ++c) {
      const std::size_t i = input.mean.size() == 1 ? 0 : c;
      scan.sums[c] *= input.mean[i];
      scan.shifts[c] *= input.mean[i];
      scan.squares[c] *= input.variance[i];
    }
    return scan;
  }

  ValueId add_integers(const Value& filter, WeightFormat format, std::vector<float> scales) {
    Value value;
    value.name = filter.name;
    value.shape = filter.shape;
    value.source = format == WeightFormat::kInt8 ? quantized_int8(filter.source, scales)
                                                 : quantized_int4(filter.source, scales);
    value.type = value.source->type();
    value.quantization = std::make_shared<graph::Quantization>(graph::Quantization{std::move(scales)});
    return graph_.add_value(std::move(value));
  }

  Graph& graph_;
  const QuantizeOptions& options_;
  std::vector<Node> nodes_;
  graph::Builder builder_;
  MomentEstimator moments_;
};

}  // namespace

bool is_quantized(const Graph& graph, const Node& node) {
  if (node.inputs.size() != 3) return false;
  if (graph.value(node.inputs[1]).quantization) return true;
  const Node* producer = graph.producer(node.inputs[1]);
  return producer != nullptr && std::holds_alternative<graph::Dequantize>(producer->op);
}

void quantize(Graph& graph, const QuantizeOptions& options) {
  Rewriter(graph, options).run();
}

}  // namespace sealite::quantize

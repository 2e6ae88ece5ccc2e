#include "quantize/quantize.h"

#include "base/error.h"
#include "graph/builder.h"

namespace sealite::quantize {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;

ValueId add_integers(Graph& graph, const Value& filter, int bits, ScaleSearch search) {
  std::vector<float> scales = choose_scales(filter.name, *filter.source, bits, search);
  Value value;
  value.name = filter.name;
  value.shape = filter.shape;
  value.source = bits == 8 ? quantized_int8(filter.source, scales) : quantized_int4(filter.source, scales);
  value.type = value.source->type();
  value.quantization = std::make_shared<graph::Quantization>(graph::Quantization{std::move(scales)});
  return graph.add_value(std::move(value));
}

}  // namespace

void quantize(Graph& graph, const QuantizeOptions& options) {
  std::vector<Node> nodes;
  graph::Builder builder(graph, nodes);
  for (Node node : graph.nodes) {
    const WeightFormat format = choose_format(graph, node, *options.recipe, options.keep);
    if (format != WeightFormat::kFloat32) {
      const Value& filter = graph.value(node.inputs[1]);
      if (format == WeightFormat::kFloat16) {
        const ValueId half = builder.constant(filter.name, halved(filter.name, filter.source));
        node.inputs[1] = builder.add(filter.name + ".float32", graph::Dequantize{}, {half});
      } else {
        node.inputs[1] = add_integers(graph, filter, format == WeightFormat::kInt8 ? 8 : 4, options.search);
      }
    }
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace sealite::quantize

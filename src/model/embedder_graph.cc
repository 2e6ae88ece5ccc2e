#include "model/embedder_graph.h"

#include "base/error.h"

namespace sealite::model {
namespace {

// The weights fit the card (check_parameters), so what does not fit is the picture.
graph::ValueId build_network(const EmbedderNetwork& network, const Weights& weights, graph::Builder& builder,
                             graph::ValueId image, graph::ValueId message) {
  try {
    return network.build(weights, builder, image, message);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) throw;
    fail(ErrorCode::kUsage, "the picture's height and width do not suit this network: {}", error.what());
  }
}

}  // namespace

graph::Graph build_embedder_graph(const EmbedderNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const bool nchw = options.layout == Layout::kNchw;
  const Shape shape = nchw ? Shape{options.batch, 3, options.height, options.width}
                           : Shape{options.batch, options.height, options.width, 3};
  graph::ValueId image = builder.input("image", shape);
  const graph::ValueId message = builder.input("message", {options.batch, network.bits()});
  if (nchw) image = builder.add("image.nhwc", graph::Transpose{{0, 2, 3, 1}}, {image});
  graph::ValueId delta = build_network(network, weights, builder, image, message);
  if (nchw) delta = builder.add("delta.nchw", graph::Transpose{{0, 3, 1, 2}}, {delta});
  graph.outputs = {delta};
  return graph;
}

}  // namespace sealite::model

#include "model/detector_graph.h"

#include "base/error.h"

namespace sealite::model {
namespace {

// The weights fit the card (check_parameters), so what does not fit is the picture.
graph::ValueId build_network(const DetectorNetwork& network, const Weights& weights, graph::Builder& builder,
                             graph::ValueId image) {
  try {
    return network.build(weights, builder, image);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) throw;
    fail(ErrorCode::kUsage, "too small a picture for this network: {}", error.what());
  }
}

}  // namespace

graph::Graph build_detector_graph(const DetectorNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const bool nchw = options.layout == Layout::kNchw;
  const Shape shape = nchw ? Shape{options.batch, 3, options.height, options.width}
                           : Shape{options.batch, options.height, options.width, 3};
  graph::ValueId image = builder.input("image", shape);
  if (nchw) image = builder.add("image.nhwc", graph::Transpose{{0, 2, 3, 1}}, {image});
  graph::ValueId logits = build_network(network, weights, builder, image);
  if (nchw && builder.shape(logits).size() == 4) {
    logits = builder.add("logits.nchw", graph::Transpose{{0, 3, 1, 2}}, {logits});
  }
  graph.outputs = {logits};
  return graph;
}

}  // namespace sealite::model

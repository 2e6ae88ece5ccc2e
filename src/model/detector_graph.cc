#include "model/detector_graph.h"

namespace sealite::model {

graph::Graph build_detector_graph(const DetectorNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const bool nchw = options.layout == Layout::kNchw;
  const Shape shape = nchw ? Shape{options.batch, 3, options.height, options.width}
                           : Shape{options.batch, options.height, options.width, 3};
  graph::ValueId image = builder.input("image", shape);
  if (nchw) image = builder.add("image.nhwc", graph::Transpose{{0, 2, 3, 1}}, {image});
  graph::ValueId logits = network.build(weights, builder, image);
  if (nchw && builder.shape(logits).size() == 4) {
    logits = builder.add("logits.nchw", graph::Transpose{{0, 3, 1, 2}}, {logits});
  }
  graph.outputs = {logits};
  return graph;
}

}  // namespace sealite::model

#include "model/detector_graph.h"

#include "model/image_input.h"

namespace sealite::model {

graph::Graph build_detector_graph(const DetectorNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const graph::ValueId image = image_input(builder, options);
  graph::ValueId logits = blame_the_picture("too small a picture for this network",
                                            [&] { return network.build(weights, builder, image); });
  if (options.layout == ImageLayout::kNchw && builder.shape(logits).size() == 4)
    logits = builder.add("logits.nchw", graph::Transpose{{0, 3, 1, 2}}, {logits});
  graph.outputs = {logits};
  return graph;
}

}  // namespace sealite::model

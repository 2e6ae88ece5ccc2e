#include "model/embedder_graph.h"

#include "model/image_input.h"

namespace sealite::model {

graph::Graph build_embedder_graph(const EmbedderNetwork& network, const Weights& weights,
                                  const InterfaceOptions& options) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const graph::ValueId image = image_input(builder, options);
  const graph::ValueId message =
      builder.input("message", {options.batch, network.bits()}, graph::Mark::kMessage);
  graph::ValueId delta = blame_the_picture("the picture's height and width do not suit this network",
                                           [&] { return network.build(weights, builder, image, message); });
  if (options.layout == ImageLayout::kNchw)
    delta = builder.add("delta.nchw", graph::Transpose{{0, 3, 1, 2}}, {delta});
  graph.outputs = {delta};
  return graph;
}

}  // namespace sealite::model

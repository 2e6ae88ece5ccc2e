#include "verify/layers.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/image_shape.h"
#include "verify/numbers.h"

namespace sealite::verify {
namespace {

using evaluate::Evaluator;
using evaluate::Tensor;
using graph::Graph;
using graph::Node;

// A graph that was read from a file has no marks: an image is known by its shape. Without one nothing moves.
ImageLayout layout_of(const Graph& graph) {
  for (const graph::ValueId id : graph.inputs) {
    if (const auto layout = layout_of_input(graph.shape(id))) return *layout;
  }
  return ImageLayout::kNhwc;
}

// The inputs (images in NHWC) in the graph's order and layout.
std::vector<Tensor> inputs_for(const Graph& graph, const std::vector<Tensor>& inputs) {
  const ImageLayout layout = layout_of(graph);
  std::vector<Tensor> ordered;
  for (const graph::ValueId id : graph.inputs) {
    const std::size_t rank = graph.shape(id).size();
    for (const Tensor& input : inputs) {
      if (input.shape.size() != rank) continue;
      if (rank != 4) {
        ordered.push_back(input);
        continue;
      }
      const pixels::Planes planes{input.shape[1], input.shape[2], input.shape[3], input.values};
      ordered.push_back({image_shape(layout, 1, planes.height, planes.width, planes.channels),
                         pixels::in_layout(planes, layout)});
    }
  }
  return ordered;
}

// To NHWC if the output is a map: a pixelwise model's logits, a delta.
Tensor out_of_layout(const Graph& graph, Tensor output) {
  if (output.shape.size() != 4) return output;
  const ImageLayout layout = layout_of(graph);
  const ImageAxes axes = image_axes(layout);
  pixels::Planes map = pixels::from_layout(std::move(output.values), layout, output.shape[axes.height],
                                           output.shape[axes.width], output.shape[axes.channels]);
  return {{1, map.height, map.width, map.channels}, std::move(map.data)};
}

bool keeps_its_meaning(const graph::Op& op) {
  return !std::holds_alternative<graph::LayerNorm>(op) &&
         !std::holds_alternative<graph::GlobalResponseNorm>(op);
}

// Steps `stored` until it has made the value called `name`.
class Follower {
 public:
  Follower(const Graph& graph, const std::vector<Tensor>& inputs, const std::function<void()>& advance)
      : evaluator_(graph, inputs_for(graph, inputs)), advance_(advance) {
    for (const Node& node : graph.nodes) waiting_.insert(node.name);
  }

  const Tensor* make(const std::string& name) {
    if (!waiting_.contains(name)) return nullptr;
    while (!evaluator_.done()) {
      const std::string made = evaluator_.next_node().name;
      const Tensor& output = step();
      if (made == name) return &output;
    }
    return nullptr;
  }
  Tensor finish() {
    while (!evaluator_.done()) step();
    return evaluator_.outputs().at(0);
  }

 private:
  const Tensor& step() {
    waiting_.erase(evaluator_.next_node().name);
    const Tensor& output = evaluator_.step();
    advance_();
    return output;
  }

  Evaluator evaluator_;
  const std::function<void()>& advance_;
  std::set<std::string> waiting_;
};

}  // namespace

std::vector<Tensor> to_tensors(const Picture& picture) {
  const pixels::Planes& planes = picture.planes;
  std::vector<Tensor> inputs = {{{1, planes.height, planes.width, planes.channels}, planes.data}};
  if (picture.message.empty()) return inputs;
  inputs.push_back({{1, static_cast<std::int64_t>(picture.message.size())},
                    {picture.message.begin(), picture.message.end()}});
  return inputs;
}

LayerComparison compare_layers(const Graph& original, const Graph& stored, const std::vector<Tensor>& inputs,
                               const std::function<void()>& advance) {
  LayerComparison result;
  Evaluator exact(original, inputs_for(original, inputs));
  Follower follower(stored, inputs, advance);
  while (!exact.done()) {
    const Node& node = exact.next_node();
    const Tensor& wanted = exact.step();
    advance();
    if (!keeps_its_meaning(node.op)) continue;
    const Tensor* found = follower.make(node.name);
    if (found == nullptr) continue;
    result.layers.push_back(
        {node.name, std::string(op_name(node.op)), relative_error(wanted.values, found->values)});
  }
  result.original = exact.outputs().at(0);
  result.stored = out_of_layout(stored, follower.finish());
  return result;
}

Tensor run_graph(const Graph& graph, const std::vector<Tensor>& inputs,
                 const std::function<void()>& advance) {
  Evaluator evaluator(graph, inputs_for(graph, inputs));
  while (!evaluator.done()) {
    evaluator.step();
    advance();
  }
  return out_of_layout(graph, evaluator.outputs().at(0));
}

}  // namespace sealite::verify

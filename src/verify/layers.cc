#include "verify/layers.h"

#include <map>
#include <set>

#include "verify/numbers.h"

namespace sealite::verify {
namespace {

using graph::Evaluator;
using graph::Graph;
using graph::Node;
using graph::Tensor;

// NHWC to NCHW if that is what the graph reads.
Tensor in_layout(const Graph& graph, const Tensor& picture) {
  const Shape& wanted = graph.shape(graph.inputs.at(0));
  if (wanted.size() != 4 || wanted[1] != 3 || wanted[3] == 3) return picture;
  Tensor planes{{1, 3, picture.shape[1], picture.shape[2]}, std::vector<float>(picture.values.size())};
  const std::size_t pixels = picture.values.size() / 3;
  for (std::size_t i = 0; i < picture.values.size(); ++i)
    planes.values[i % 3 * pixels + i / 3] = picture.values[i];
  return planes;
}

// NCHW to NHWC if the output is a map: a pixelwise model's logits.
Tensor out_of_layout(const Graph& graph, Tensor output, const Tensor& picture) {
  const Shape& read = graph.shape(graph.inputs.at(0));
  const bool nchw = read.size() == 4 && read[1] == 3 && read[3] != 3;
  if (output.shape.size() != 4 || !nchw || picture.shape.empty()) return output;
  const auto channels = static_cast<std::size_t>(output.shape[1]);
  const std::size_t pixels = output.values.size() / channels;
  Tensor moved{{1, output.shape[2], output.shape[3], output.shape[1]},
               std::vector<float>(output.values.size())};
  for (std::size_t i = 0; i < output.values.size(); ++i)
    moved.values[i % pixels * channels + i / pixels] = output.values[i];
  return moved;
}

bool keeps_its_meaning(const graph::Op& op) {
  return !std::holds_alternative<graph::LayerNorm>(op) &&
         !std::holds_alternative<graph::GlobalResponseNorm>(op);
}

// Steps `stored` until it has made the value called `name`.
class Follower {
 public:
  Follower(const Graph& graph, const Tensor& picture, const std::function<void()>& advance)
      : evaluator_(graph, {in_layout(graph, picture)}), advance_(advance) {
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

LayerComparison compare_layers(const Graph& original, const Graph& stored, const Tensor& picture,
                               const std::function<void()>& advance) {
  LayerComparison result;
  Evaluator exact(original, {picture});
  Follower follower(stored, picture, advance);
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
  result.stored = out_of_layout(stored, follower.finish(), picture);
  return result;
}

Tensor run_graph(const Graph& graph, const Tensor& picture, const std::function<void()>& advance) {
  Evaluator evaluator(graph, {in_layout(graph, picture)});
  while (!evaluator.done()) {
    evaluator.step();
    advance();
  }
  return out_of_layout(graph, evaluator.outputs().at(0), picture);
}

}  // namespace sealite::verify

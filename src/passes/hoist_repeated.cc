#include <fmt/format.h>

#include <algorithm>

#include "graph/source.h"
#include "passes/channel_chain.h"

namespace sealite::passes {
namespace {

// The node that repeats one pixel over a picture.
const Node* repeats_pixel(const Graph& graph, ValueId id) {
  return graph.value(id).mark == graph::Mark::kRepeated ? graph.producer(id) : nullptr;
}

ValueId repeat(Builder& patch, const std::string& name, ValueId pixel, std::int64_t height,
               std::int64_t width) {
  const ValueId ones = patch.constant(name + ".ones", graph::filled({1, height, width, 1}, 1.0F));
  return patch.marked(patch.binary(name, graph::BinaryKind::kMul, pixel, ones), graph::Mark::kRepeated);
}

// From three lines along `axis` to `size`: the first, the middle one repeated, the last.
ValueId stretch(Builder& patch, const std::string& name, ValueId x, std::size_t axis, std::int64_t size) {
  const auto line = [&](std::int64_t position) {
    std::vector<std::int64_t> begin(4, 0);
    Shape extent(4, -1);
    begin[axis] = position;
    extent[axis] = 1;
    return patch.add(fmt::format("{}.{}", name, position), graph::Slice{begin, extent}, {x});
  };
  Shape inside(4, 1);
  inside[axis] = size - 2;
  const ValueId ones = patch.constant(name + ".ones", graph::filled(inside, 1.0F));
  const ValueId middle = patch.binary(name + ".middle", graph::BinaryKind::kMul, line(1), ones);
  return patch.add(name, graph::Concatenation{static_cast<int>(axis)}, {line(0), middle, line(2)});
}

// A 3x3 convolution with zeros around gives all pixels inside the border the same value, as it does for all
// inside of each edge: a picture of 3x3 has one of each kind.
ValueId convolve_3x3(const Graph& graph, const Node& node, const Node& source, Builder& patch) {
  const Shape& shape = graph.shape(node.output);
  ValueId y = repeat(patch, node.name + ".pixels", source.inputs[0], 3, 3);
  y = patch.add(node.name + ".3x3", node.op, {y, node.inputs[1], node.inputs[2]});
  y = stretch(patch, node.name + ".rows", y, 1, shape[1]);
  return stretch(patch, node.name + ".columns", y, 2, shape[2]);
}

std::optional<ValueId> hoist_linear(const Graph& graph, const Node& node, Builder& patch) {
  const auto chain = chain_before(graph, node);
  if (!chain) return std::nullopt;
  const Node* source = repeats_pixel(graph, chain->start);
  if (source == nullptr) return std::nullopt;
  for (const Node* link : chain->links) {
    if (std::holds_alternative<graph::ZeroPad>(link->op)) return std::nullopt;
  }
  const graph::Value& filter = graph.value(node.inputs[1]);
  const Shape& shape = graph.shape(node.output);
  const auto* conv = std::get_if<graph::Conv2D>(&node.op);
  if (conv != nullptr && conv->padding == graph::Padding::kSame) {
    const bool known = filter.shape[1] == 3 && filter.shape[2] == 3 && conv->stride == 1 && shape[1] > 3 &&
                       shape[2] > 3 && chain->links.empty();
    if (!known) return std::nullopt;
    return convolve_3x3(graph, node, *source, patch);
  }
  // Resizes and reflections of one value are that value, and every position of a kernel meets it.
  const graph::SourcePtr summed = conv != nullptr ? summed_positions(filter.source) : filter.source;
  const ValueId pixel = patch.add(node.name, graph::FullyConnected{activation_of(node.op)},
                                  {source->inputs[0], patch.constant(filter.name, summed), node.inputs[2]});
  return repeat(patch, node.name + ".repeated", pixel, shape[1], shape[2]);
}

// x + repeated pixel: the sum broadcasts by itself.
std::optional<ValueId> hoist_sum(const Graph& graph, const Node& node, Builder& patch) {
  const auto* binary = std::get_if<graph::Binary>(&node.op);
  if (binary == nullptr || binary->kind != graph::BinaryKind::kAdd) return std::nullopt;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const Node* source = repeats_pixel(graph, node.inputs[i]);
    const ValueId other = node.inputs[1 - i];
    if (source == nullptr || graph.shape(other) != graph.shape(node.output)) continue;
    return patch.add(node.name, node.op, {other, source->inputs[0]});
  }
  return std::nullopt;
}

}  // namespace

std::optional<ValueId> hoist_repeated(const Graph& graph, const Node& node, Builder& patch) {
  if (auto sum = hoist_sum(graph, node, patch)) return sum;
  return hoist_linear(graph, node, patch);
}

}  // namespace sealite::passes

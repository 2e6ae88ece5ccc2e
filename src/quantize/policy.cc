// What the runtime runs fast and right (docs/log/2026-11-performance.md, measured with LiteRT 2.3.0), in one
// place.
#include "quantize/recipe.h"

namespace sealite::quantize {
namespace {

// Filters below this size gain nothing: GRN's mean is one row, for example.
constexpr std::uint64_t kMinElements = 1024;

enum class LayerKind : std::uint8_t { kNone, kFullyConnected, kConv, kDepthwise };

LayerKind kind_of(const graph::Graph& graph, const graph::Node& node) {
  if (node.inputs.size() < 2 || !graph.value(node.inputs[1]).source) return LayerKind::kNone;
  if (std::holds_alternative<graph::FullyConnected>(node.op)) return LayerKind::kFullyConnected;
  if (std::holds_alternative<graph::Conv2D>(node.op)) return LayerKind::kConv;
  if (std::holds_alternative<graph::DepthwiseConv2D>(node.op)) return LayerKind::kDepthwise;
  return LayerKind::kNone;
}

// Whether XNNPACK takes such a filter; what it does not, falls back to the next wider format.
bool runs_delegated(LayerKind kind, WeightFormat format, const Shape& filter) {
  switch (format) {
    case WeightFormat::kFloat32:
    case WeightFormat::kFloat16:
      return true;
    case WeightFormat::kInt8:
      return kind != LayerKind::kDepthwise;
    // Two values share a byte, and a row must end on one.
    case WeightFormat::kInt4:
      return kind == LayerKind::kFullyConnected && filter[1] % 2 == 0;
  }
  return false;
}

WeightFormat wider(WeightFormat format) {
  return format == WeightFormat::kInt4 ? WeightFormat::kInt8 : WeightFormat::kFloat32;
}

// 4 bits are for networks whose products hold most of the weights. In an embedder they hold 1 %, and in 4
// bits cost 3 to 9 dB: there they get 8.
bool mostly_products(const graph::Graph& graph) {
  std::uint64_t products = 0;
  std::uint64_t convolutions = 0;
  for (const graph::Node& node : graph.nodes) {
    const LayerKind kind = kind_of(graph, node);
    if (kind != LayerKind::kFullyConnected && kind != LayerKind::kConv) continue;
    (kind == LayerKind::kConv ? convolutions : products) +=
        element_count(graph.shape(node.inputs[1])).value_or(0);
  }
  return products > convolutions;
}

}  // namespace

WeightFormat choose_format(const graph::Graph& graph, const graph::Node& node, const Recipe& recipe,
                           std::span<const KeepRule> keep) {
  const LayerKind kind = kind_of(graph, node);
  if (kind == LayerKind::kNone) return WeightFormat::kFloat32;
  const Shape& filter = graph.shape(node.inputs[1]);
  if (element_count(filter).value_or(0) < kMinElements) return WeightFormat::kFloat32;
  WeightFormat format = kind == LayerKind::kDepthwise ? recipe.depthwise : recipe.dense;
  const graph::Mark mark = graph.value(node.output).mark;
  // The last layer decides every bit by itself and is small: 4 bits are too few for it.
  if (format == WeightFormat::kInt4 && (mark == graph::Mark::kHead || !mostly_products(graph)))
    format = WeightFormat::kInt8;
  // The first layer is a few thousand weights, and in int8 it made a third of a trained model's whole error
  // (demo: 0.0387 -> 0.0286 without): it stays in float.
  if (mark == graph::Mark::kStem && format != WeightFormat::kFloat16) format = WeightFormat::kFloat32;
  for (const KeepRule& rule : keep) {
    if (!std::regex_search(node.name, rule.pattern)) continue;
    format = rule.format;
    break;
  }
  while (!runs_delegated(kind, format, filter)) format = wider(format);
  return format;
}

}  // namespace sealite::quantize

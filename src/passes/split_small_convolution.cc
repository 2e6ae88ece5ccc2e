#include <fmt/format.h>

#include "passes/sum_of_parts.h"

namespace sealite::passes {
namespace {

// With more pixels the convolution is as fast (measured, docs/log/2026-11-performance.md).
constexpr std::int64_t kMostPixels = 64;

}  // namespace

// A convolution is the sum of products, one for each position of its filter, of the shifted picture; the bias
// is in the first. XNNPACK goes through all of a convolution's weights for every few pixels; those of one
// product stay closer to the processor.
std::optional<ValueId> split_small_convolution(const Graph& graph, const Node& node, Builder& patch) {
  const auto* op = std::get_if<graph::Conv2D>(&node.op);
  if (op == nullptr || op->stride != 1 || op->padding != graph::Padding::kValid) return std::nullopt;
  if (op->activation != graph::Activation::kNone) return std::nullopt;
  const graph::Value& filter = graph.value(node.inputs[1]);
  const Shape& shape = graph.shape(node.output);
  const std::int64_t positions = filter.shape[1] * filter.shape[2];
  if (!filter.source || positions == 1 || shape[1] * shape[2] > kMostPixels) return std::nullopt;
  const std::int64_t channels = filter.shape[3];
  const graph::SourcePtr matrix = graph::reshaped(filter.source, {filter.shape[0], positions * channels});
  SumOfParts parts(graph, node, patch);
  for (std::int64_t position = 0; position < positions; ++position) {
    const std::int64_t row = position / filter.shape[2];
    const std::int64_t column = position % filter.shape[2];
    const std::string suffix = fmt::format(".tap{}{}", row, column);
    const ValueId x =
        patch.add(node.name + suffix + ".pixels",
                  graph::Slice{{0, row, column, 0}, {-1, shape[1], shape[2], -1}}, {node.inputs[0]});
    const ValueId weights =
        patch.constant(filter.name + suffix, graph::column_range(matrix, position * channels, channels));
    parts.add(suffix, graph::FullyConnected{}, x, weights);
  }
  return parts.sum();
}

}  // namespace sealite::passes

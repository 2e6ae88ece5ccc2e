#include "passes/rules.h"

namespace sealite::passes {

// XNNPACK's depthwise kernels have 3, 4, 9 or 25 taps, cost what that number says, and above it are 6 times
// slower per tap (measured, docs/performance.md). A 7x7 SAME filter is exactly the sum of three that lie
// evenly around its centre, so that each is SAME itself: of 21, 20 and 8 taps, the bias in the first. No
// other cover by such pieces is cheaper by those costs.
std::optional<ValueId> split_depthwise(const Graph& graph, const Node& node, Builder& patch) {
  const auto* op = std::get_if<graph::DepthwiseConv2D>(&node.op);
  if (op == nullptr || op->padding != graph::Padding::kSame || op->dilation_h != 1 || op->dilation_w != 1) {
    return std::nullopt;
  }
  const graph::Value& filter = graph.value(node.inputs[1]);
  if (!filter.source || filter.shape[1] != 7 || filter.shape[2] != 7) return std::nullopt;
  struct Part {
    const char* suffix;
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> columns;
    std::int64_t dilation_w;
  };
  const Part parts[] = {{".odd", {1, 3, 5}, {0, 1, 2, 3, 4, 5, 6}, 1},
                        {".even", {0, 2, 4, 6}, {1, 2, 3, 4, 5}, 1},
                        {".sides", {0, 2, 4, 6}, {0, 6}, 6}};
  std::optional<ValueId> sum;
  for (const Part& part : parts) {
    const ValueId taps = patch.constant(
        filter.name + part.suffix, graph::taken(graph::taken(filter.source, 1, part.rows), 2, part.columns));
    const ValueId bias =
        sum ? patch.constant(node.name + part.suffix + ".zero", graph::filled({filter.shape[3]}, 0.0F))
            : node.inputs[2];
    const ValueId y =
        patch.add(node.name + part.suffix, graph::DepthwiseConv2D{2, part.dilation_w, graph::Padding::kSame},
                  {node.inputs[0], taps, bias});
    sum = sum ? patch.binary(node.name + ".plus" + part.suffix, graph::BinaryKind::kAdd, *sum, y) : y;
  }
  return sum;
}

}  // namespace sealite::passes

#include "passes/rules.h"

namespace sealite::passes {

// XNNPACK's depthwise kernels are fast up to 25 taps and 6 times slower per tap above (measured,
// docs/performance.md). A 7x7 SAME filter is exactly the sum of three: rows {2,3,4} as 3x7, rows {1,5} as 2x7
// with a row dilation of 4, rows {0,6} as 2x7 with a row dilation of 6, each SAME, the bias in the first.
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
    std::int64_t dilation;
  };
  const Part parts[] = {{".rows234", {2, 3, 4}, 1}, {".rows15", {1, 5}, 4}, {".rows06", {0, 6}, 6}};
  std::optional<ValueId> sum;
  for (const Part& part : parts) {
    const ValueId rows = patch.constant(filter.name + part.suffix, graph::taken(filter.source, 1, part.rows));
    const ValueId bias =
        sum ? patch.constant(node.name + part.suffix + ".zero", graph::filled({filter.shape[3]}, 0.0F))
            : node.inputs[2];
    const ValueId y =
        patch.add(node.name + part.suffix, graph::DepthwiseConv2D{part.dilation, 1, graph::Padding::kSame},
                  {node.inputs[0], rows, bias});
    sum = sum ? patch.binary(node.name + ".plus" + part.suffix, graph::BinaryKind::kAdd, *sum, y) : y;
  }
  return sum;
}

}  // namespace sealite::passes

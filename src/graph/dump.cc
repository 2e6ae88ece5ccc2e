#include <fmt/format.h>
#include <fmt/ranges.h>

#include "graph/graph.h"

namespace sealite::graph {
namespace {

std::string_view padding_name(Padding padding) {
  return padding == Padding::kSame ? "same" : "valid";
}

std::string activation_suffix(Activation activation) {
  return activation == Activation::kRelu ? " relu" : "";
}

// The op's own settings, with a leading space; empty where there are none.
std::string settings(const Op& op) {
  return std::visit(
      Overloaded{
          [](const Conv2D& o) {
            return fmt::format(" stride {} {}{}", o.stride, padding_name(o.padding),
                               activation_suffix(o.activation));
          },
          [](const DepthwiseConv2D& o) {
            return fmt::format(" dilation {}x{} {}", o.dilation_h, o.dilation_w, padding_name(o.padding));
          },
          [](const FullyConnected& o) { return activation_suffix(o.activation); },
          [](const BatchMatMul& o) { return std::string(o.transpose_b ? " transpose-b" : ""); },
          [](const Binary& o) { return activation_suffix(o.activation); },
          [](const Unary&) { return std::string(); },
          [](const LeakyRelu& o) { return fmt::format(" slope {}", o.slope); },
          [](const Softmax&) { return std::string(); },
          [](const Reduce& o) { return fmt::format(" axes {}{}", o.axes, o.keep_dims ? " keep" : ""); },
          [](const ReflectionPad& o) { return fmt::format(" reflect {}", o.amount); },
          [](const ZeroPad& o) {
            return fmt::format(" zeros {} {} {} {}", o.top, o.left, o.bottom, o.right);
          },
          [](const Concatenation& o) { return fmt::format(" axis {}", o.axis); },
          [](const Slice& o) { return fmt::format(" begin {} size {}", o.begin, o.size); },
          [](const Reshape&) { return std::string(); },
          [](const Transpose& o) { return fmt::format(" {}", o.permutation); },
          [](const ResizeBilinear&) { return std::string(); },
          [](const ResizeNearest&) { return std::string(); },
          [](const Dequantize&) { return std::string(); },
          [](const DepthToSpace& o) { return fmt::format(" block {}", o.block); },
          [](const LayerNorm& o) {
            return fmt::format(" epsilon {}{}", o.epsilon, o.subtract_mean ? "" : " no-mean");
          },
          [](const GlobalResponseNorm& o) { return fmt::format(" epsilon {}", o.epsilon); },
          [](const BatchNorm& o) { return fmt::format(" epsilon {}", o.epsilon); },
          [](const RmsNorm& o) { return fmt::format(" epsilon {}", o.epsilon); },
          [](const GroupNorm& o) { return fmt::format(" groups {} epsilon {}", o.groups, o.epsilon); },
      },
      op);
}

std::string reference(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (value.source) return fmt::format("{}{}", value.name, to_string(value.shape));
  return fmt::format("%{}", static_cast<std::uint32_t>(id));
}

// " [stem]", or nothing.
std::string mark_suffix(const Value& value) {
  return value.mark == Mark::kNone ? "" : fmt::format(" [{}]", mark_name(value.mark));
}

}  // namespace

std::string dump(const Graph& graph) {
  std::string text;
  for (const ValueId id : graph.inputs) {
    text += fmt::format("input  %{} : {} {}  # {}{}\n", static_cast<std::uint32_t>(id),
                        dtype_name(graph.value(id).type), to_string(graph.shape(id)), graph.value(id).name,
                        mark_suffix(graph.value(id)));
  }
  for (const Node& node : graph.nodes) {
    std::vector<std::string> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(reference(graph, id));
    text += fmt::format("%{} = {}{} ({}) : {} {}  # {}{}\n", static_cast<std::uint32_t>(node.output),
                        op_name(node.op), settings(node.op), fmt::join(inputs, ", "),
                        dtype_name(graph.value(node.output).type), to_string(graph.shape(node.output)),
                        node.name, mark_suffix(graph.value(node.output)));
  }
  for (const ValueId id : graph.outputs) {
    text += fmt::format("output %{}  # {}\n", static_cast<std::uint32_t>(id), graph.value(id).name);
  }
  return text;
}

}  // namespace sealite::graph

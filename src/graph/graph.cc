#include "graph/graph.h"

#include <algorithm>

#include "base/error.h"
#include "graph/infer_shape.h"

namespace sealite::graph {

std::string_view mark_name(Mark mark) {
  switch (mark) {
    case Mark::kNone:
      return "";
    case Mark::kPicture:
      return "picture";
    case Mark::kMessage:
      return "message";
    case Mark::kStem:
      return "stem";
    case Mark::kHead:
      return "head";
    case Mark::kRepeated:
      return "repeated";
    case Mark::kBlockInput:
      return "block input";
    case Mark::kGrnSums:
      return "GRN sums";
    case Mark::kGrnScale:
      return "GRN scale";
  }
  return "";
}

ValueId Graph::add_value(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

void Graph::mark(ValueId id, Mark mark) {
  Value& value = values_[static_cast<std::size_t>(id)];
  if (value.mark != Mark::kNone && value.mark != mark) {
    fail(ErrorCode::kInternal, "'{}' is marked as {}, it cannot be {} too", value.name, mark_name(value.mark),
         mark_name(mark));
  }
  value.mark = mark;
}

const Node* Graph::producer(ValueId id) const {
  const auto found = std::ranges::find(nodes, id, &Node::output);
  return found == nodes.end() ? nullptr : &*found;
}

std::size_t Graph::use_count(ValueId id) const {
  auto count = static_cast<std::size_t>(std::ranges::count(outputs, id));
  for (const Node& node : nodes) count += static_cast<std::size_t>(std::ranges::count(node.inputs, id));
  return count;
}

std::vector<float> read_reals(const Value& constant, Rows rows) {
  const Source& source = *constant.source;
  if (source.type() == DType::kFloat32) return read_floats(source, rows);
  const std::size_t per_row = source.elements_per_row();
  const auto row_count = static_cast<std::size_t>(rows.end - rows.begin);
  std::vector<std::byte> bytes(source.bytes_per_row() * row_count);
  source.read(rows, bytes);
  std::vector<float> reals(per_row * row_count);
  for (std::size_t i = 0; i < reals.size(); ++i) {
    switch (source.type()) {
      case DType::kFloat16:
        reals[i] = half_to_float(load<std::uint16_t>(bytes, 2 * i));
        break;
      case DType::kInt8:
        reals[i] = static_cast<float>(load<std::int8_t>(bytes, i));
        break;
      case DType::kInt4: {
        // Low nibble first; the shift up and down extends the sign.
        const auto nibble = static_cast<int>(bytes[i / 2]) >> (i % 2 == 0 ? 0 : 4);
        reals[i] = static_cast<float>(static_cast<std::int8_t>((nibble & 15) << 4) >> 4);
        break;
      }
      default:
        fail(ErrorCode::kInternal, "constant '{}' of {} has no real values", constant.name,
             dtype_name(source.type()));
    }
    if (constant.quantization) {
      reals[i] *= constant.quantization->scales[static_cast<std::size_t>(rows.begin) + i / per_row];
    }
  }
  return reals;
}

std::vector<float> read_reals(const Value& constant) {
  return read_reals(constant, {0, constant.source->row_count()});
}

std::uint64_t multiply_accumulates(const Graph& graph) {
  std::uint64_t total = 0;
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<BatchMatMul>(node.op)) {
      const auto summed = static_cast<std::uint64_t>(graph.shape(node.inputs[0]).back());
      total += element_count(graph.shape(node.output)).value_or(0) * summed;
      continue;
    }
    const bool dense =
        std::holds_alternative<Conv2D>(node.op) || std::holds_alternative<FullyConnected>(node.op);
    const bool depthwise = std::holds_alternative<DepthwiseConv2D>(node.op);
    if (!dense && !depthwise) continue;
    const std::uint64_t outputs = element_count(graph.shape(node.output)).value_or(0);
    const std::uint64_t weights = element_count(graph.shape(node.inputs[1])).value_or(0);
    const auto channels = static_cast<std::uint64_t>(graph.shape(node.output).back());
    total += outputs * (weights / channels);
  }
  return total;
}

void verify(const Graph& graph) {
  std::vector<bool> ready(graph.value_count(), false);
  for (const ValueId id : graph.inputs) ready[static_cast<std::size_t>(id)] = true;
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    if (value.shape.size() > 4)
      fail(ErrorCode::kInternal, "'{}' has rank {} > 4", value.name, value.shape.size());
    if (!value.source) continue;
    if (value.source->shape() != value.shape || value.source->type() != value.type) {
      fail(ErrorCode::kInternal, "constant '{}' is {} {}, its source {} {}", value.name,
           dtype_name(value.type), to_string(value.shape), dtype_name(value.source->type()),
           to_string(value.source->shape()));
    }
    ready[i] = true;
  }
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (!ready[static_cast<std::size_t>(id)]) {
        fail(ErrorCode::kInternal, "node '{}' reads '{}' before it is made", node.name, graph.value(id).name);
      }
    }
    const Shape inferred = infer_shape(graph, node.op, node.inputs, node.name);
    if (inferred != graph.shape(node.output)) {
      fail(ErrorCode::kInternal, "node '{}': inferred {}, recorded {}", node.name, to_string(inferred),
           to_string(graph.shape(node.output)));
    }
    if (const DType type = graph.value(node.output).type; type != DType::kFloat32)
      fail(ErrorCode::kInternal, "node '{}' makes {}, expected float32", node.name, dtype_name(type));
    if (ready[static_cast<std::size_t>(node.output)])
      fail(ErrorCode::kInternal, "node '{}' makes its output again", node.name);
    ready[static_cast<std::size_t>(node.output)] = true;
  }
  for (const ValueId id : graph.outputs) {
    if (!ready[static_cast<std::size_t>(id)])
      fail(ErrorCode::kInternal, "output '{}' is never made", graph.value(id).name);
  }
}

}  // namespace sealite::graph

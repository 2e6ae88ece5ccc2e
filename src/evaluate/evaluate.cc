#include "evaluate/evaluate.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/context.h"
#include "base/error.h"
#include "evaluate/kernels.h"

namespace sealite::evaluate {
namespace {

// For each value, the position of the last node that reads it; outputs live to the end.
std::vector<std::size_t> last_uses(const graph::Graph& graph) {
  std::vector<std::size_t> last(graph.value_count(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const graph::ValueId id : graph.nodes[i].inputs) last[static_cast<std::size_t>(id)] = i;
  }
  for (const graph::ValueId id : graph.outputs) last[static_cast<std::size_t>(id)] = graph.nodes.size();
  return last;
}

void check_input(const graph::Value& value, const Tensor& tensor) {
  if (element_count(tensor.shape) != tensor.values.size() || tensor.shape.size() != value.shape.size()) {
    fail(ErrorCode::kInternal, "input '{}' wants {}, got {} with {} values", value.name,
         to_string(value.shape), to_string(tensor.shape), tensor.values.size());
  }
}

}  // namespace

Tensor make_tensor(Shape shape) {
  Tensor tensor{std::move(shape), {}};
  tensor.values.resize(element_count(tensor.shape).value_or(0));
  return tensor;
}

Shape4::Shape4(const Shape& shape) : dims{1, 1, 1, 1} {
  std::copy(shape.begin(), shape.end(), dims + (4 - shape.size()));
}

Evaluator::Evaluator(const graph::Graph& graph, std::vector<Tensor> inputs)
    : graph_(&graph), live_(graph.value_count()), last_use_(last_uses(graph)) {
  if (inputs.size() != graph.inputs.size()) {
    fail(ErrorCode::kInternal, "the graph has {} inputs, got {}", graph.inputs.size(), inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_input(graph.value(graph.inputs[i]), inputs[i]);
    live_[static_cast<std::size_t>(graph.inputs[i])] = std::move(inputs[i]);
  }
}

Tensor& Evaluator::step() {
  check_cancelled();
  const graph::Node& node = graph_->nodes[next_];
  Tensor made = preview(*graph_, node);
  for (const graph::ValueId id : node.inputs) {
    const auto index = static_cast<std::size_t>(id);
    if (index < live_.size() && last_use_[index] == next_) live_[index].reset();
  }
  ++next_;
  return live_[static_cast<std::size_t>(node.output)].emplace(std::move(made));
}

// Constants are read for each node and freed with it.
Tensor Evaluator::preview(const graph::Graph& other, const graph::Node& node) const {
  std::deque<Tensor> constants;
  Inputs arguments;
  for (const graph::ValueId id : node.inputs) {
    const auto index = static_cast<std::size_t>(id);
    if (index < live_.size()) {
      const std::optional<Tensor>& live = live_[index];
      if (live) {
        arguments.push_back(&*live);
        continue;
      }
    }
    // A constant, or one behind a DEQUANTIZE, which changes no real value.
    const graph::Value& value =
        other.value(id).source ? other.value(id) : other.value(other.producer(id)->inputs[0]);
    constants.push_back({value.shape, read_reals(value)});
    value.source->release({0, value.source->row_count()});  // the copy is all that is needed
    arguments.push_back(&constants.back());
  }
  return std::visit([&](const auto& op) { return run_kernel(op, arguments); }, node.op);
}

std::vector<Tensor> Evaluator::outputs() const {
  std::vector<Tensor> outputs;
  for (const graph::ValueId id : graph_->outputs) {
    const graph::Value& output = graph_->value(id);
    outputs.push_back(output.source ? Tensor{output.shape, read_reals(output)} : value(id));
  }
  return outputs;
}

std::vector<Tensor> evaluate(const graph::Graph& graph, std::vector<Tensor> inputs,
                             const Observer& observer) {
  Evaluator evaluator(graph, std::move(inputs));
  while (!evaluator.done()) {
    const graph::Node& node = evaluator.next_node();
    const Tensor& output = evaluator.step();
    if (observer) observer(node, output);
  }
  return evaluator.outputs();
}

}  // namespace sealite::evaluate

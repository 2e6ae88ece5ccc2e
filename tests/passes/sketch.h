#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/evaluate.h"
#include "float_checks.h"
#include "graph/builder.h"
#include "passes/pass.h"

namespace sealite::passes {

using namespace graph;

/// A graph in the making whose constants are random.
class Sketch {
 public:
  explicit Sketch(const Shape& input = {1, 6, 6, 4}) : x(builder_.input("x", input)) {}

  ValueId weight(std::string name, const Shape& shape, float low = -1, float high = 1) {
    return builder_.constant(std::move(name), shape, random_values(shape, seed_++, low, high));
  }
  ValueId constant(std::string name, Shape shape, std::vector<float> values) {
    return builder_.constant(std::move(name), std::move(shape), std::move(values));
  }
  ValueId scalar(float value) { return builder_.constant("scalar", {}, {value}); }
  ValueId add(std::string name, Op op, std::vector<ValueId> inputs) {
    return builder_.add(std::move(name), std::move(op), std::move(inputs));
  }
  ValueId marked(ValueId id, Mark mark) { return builder_.marked(id, mark); }
  ValueId binary(BinaryKind kind, ValueId a, ValueId b) { return builder_.binary("binary", kind, a, b); }
  ValueId conv(ValueId input, std::int64_t out, std::int64_t kernel, Conv2D op = {}) {
    const ValueId filter = weight("conv.weight", {out, kernel, kernel, channels(input)});
    return add("conv", op, {input, filter, weight("conv.bias", {out})});
  }
  ValueId depthwise(ValueId input, std::int64_t kernel, DepthwiseConv2D op = {}) {
    const ValueId filter = weight("dw.weight", {1, kernel, kernel, channels(input)});
    return add("dw", op, {input, filter, weight("dw.bias", {channels(input)})});
  }
  ValueId linear(ValueId input, std::int64_t out) {
    const ValueId filter = weight("fc.weight", {out, channels(input)});
    return add("fc", FullyConnected{}, {input, filter, weight("fc.bias", {out})});
  }
  ValueId norm(ValueId input) {
    const std::int64_t c = channels(input);
    return add("norm", LayerNorm{1e-3F}, {input, weight("gamma", {c}, 0.5F, 1.5F), weight("beta", {c})});
  }
  ValueId bare_norm(ValueId input, LayerNorm op = {1e-3F}) { return add("norm", op, {input}); }
  ValueId grn(ValueId input) {
    const std::int64_t c = channels(input);
    return add("grn", GlobalResponseNorm{}, {input, weight("gamma", {c}), weight("beta", {c})});
  }
  Graph finish(std::vector<ValueId> outputs) {
    graph_.outputs = std::move(outputs);
    verify(graph_);
    return graph_;
  }

 private:
  std::int64_t channels(ValueId id) const { return graph_.shape(id).back(); }

  Graph graph_;
  Builder builder_{graph_};
  unsigned seed_ = 1;

 public:
  ValueId x;  // the input
};

/// How many nodes of each op there are.
inline std::map<std::string, int> op_counts(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const Node& node : graph.nodes) ++counts[std::string(op_name(node.op))];
  return counts;
}

/// What a user of the graph sees: names, types and shapes of inputs and outputs.
inline std::string interface_of(const Graph& graph) {
  std::string text;
  for (const auto& ids : {graph.inputs, graph.outputs}) {
    for (const ValueId id : ids) {
      const Value& value = graph.value(id);
      text += value.name + " " + std::string(dtype_name(value.type)) + to_string(value.shape) + "; ";
    }
  }
  return text;
}

/// Expects that `after` is sound and, to whoever uses it, the same as `before`: interface and numbers.
inline void expect_same(const Graph& before, const Graph& after) {
  ASSERT_NO_THROW(verify(after)) << dump(after);
  EXPECT_EQ(interface_of(after), interface_of(before));
  std::vector<evaluate::Tensor> inputs;
  for (const ValueId id : before.inputs)
    inputs.push_back({before.shape(id), random_values(before.shape(id), 99, -2, 2)});
  const auto wanted = evaluate::evaluate(before, inputs);
  const auto found = evaluate::evaluate(after, inputs);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(found[i].shape, wanted[i].shape);
    expect_near(found[i].values, wanted[i].values, 2e-5, 2e-5, dump(after));
  }
}

/// `before` rewritten by `rule`, after checking that nothing changed for its users.
inline Graph rewritten(const Graph& before, Rule rule) {
  Graph after = before;
  apply_rule(after, rule);
  EXPECT_NO_THROW(verify(after)) << dump(after);
  remove_dead_nodes(after);
  expect_same(before, after);
  return after;
}

/// Expects that `rule` leaves `before` alone.
inline void expect_untouched(const Graph& before, Rule rule) {
  Graph after = before;
  EXPECT_FALSE(apply_rule(after, rule)) << dump(after);
  EXPECT_EQ(dump(after), dump(before));
}

}  // namespace sealite::passes

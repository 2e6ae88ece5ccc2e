#pragma once

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "evaluate/evaluate.h"
#include "float_checks.h"
#include "graph/builder.h"

namespace sealite::evaluate {

using namespace graph;

/// `values` in `shape`; the test fails if they do not fit.
inline Tensor tensor(Shape shape, std::vector<float> values) {
  EXPECT_EQ(element_count(shape), values.size());
  return {std::move(shape), std::move(values)};
}

inline Tensor random_tensor(const Shape& shape, unsigned seed, float low = -1, float high = 1) {
  return {shape, random_values(shape, seed, low, high)};
}

/// Values 0, 1, 2, …
inline Tensor counting_tensor(const Shape& shape) {
  Tensor result{shape, std::vector<float>(element_count(shape).value())};
  for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] = static_cast<float>(i);
  return result;
}

/// Evaluates a graph of this one node; the inferred shape must be the computed one.
inline Tensor run_op(const Op& op, const std::vector<Tensor>& inputs) {
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> ids;
  for (const Tensor& input : inputs) ids.push_back(builder.input("x", input.shape));
  const ValueId output = builder.add("node", op, ids);
  graph.outputs = {output};
  verify(graph);
  Tensor result = evaluate(graph, inputs).at(0);
  EXPECT_EQ(result.shape, graph.shape(output));
  EXPECT_EQ(result.values.size(), element_count(result.shape));
  return result;
}

}  // namespace sealite::evaluate

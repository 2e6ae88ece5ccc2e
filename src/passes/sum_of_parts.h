#pragma once

#include <optional>
#include <string>
#include <utility>

#include "graph/source.h"
#include "passes/rules.h"

namespace sealite::passes {

/// A linear node with a bias, taken apart: the sum of linear nodes, of which the first has the bias.
class SumOfParts {
 public:
  SumOfParts(const Graph& graph, const Node& node, Builder& patch)
      : node_(node), patch_(patch), channels_(graph.shape(node.output).back()) {}

  /// Adds "NODE + suffix", which is `op` of `x` with `filter`.
  void add(const std::string& suffix, graph::Op op, ValueId x, ValueId filter) {
    const ValueId bias =
        sum_ ? patch_.constant(node_.name + suffix + ".zero", graph::filled({channels_}, 0.0F))
             : node_.inputs[2];
    const ValueId y = patch_.add(node_.name + suffix, std::move(op), {x, filter, bias});
    sum_ = sum_ ? patch_.binary(node_.name + ".plus" + suffix, graph::BinaryKind::kAdd, *sum_, y) : y;
  }
  /// Nothing without parts.
  std::optional<ValueId> sum() const { return sum_; }

 private:
  const Node& node_;
  Builder& patch_;
  std::int64_t channels_;
  std::optional<ValueId> sum_;
};

}  // namespace sealite::passes

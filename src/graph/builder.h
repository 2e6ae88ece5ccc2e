#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace sealite::graph {

/// Adds nodes to a graph (or to a patch's list of nodes), inferring every shape.
class Builder {
 public:
  /// Appends to `graph.nodes`.
  explicit Builder(Graph& graph) : Builder(graph, graph.nodes) {}
  /// Values go to `graph`, nodes to `nodes`.
  Builder(Graph& graph, std::vector<Node>& nodes) : graph_(graph), nodes_(nodes) {}

  ValueId input(std::string name, Shape shape, Mark mark = Mark::kNone);
  ValueId constant(std::string name, SourcePtr source);
  ValueId constant(std::string name, Shape shape, std::vector<float> values);
  /// Adds a node named `name`; its output has the same name.
  ValueId add(std::string name, Op op, std::vector<ValueId> inputs);

  ValueId binary(std::string name, BinaryKind kind, ValueId a, ValueId b) {
    return add(std::move(name), Binary{kind}, {a, b});
  }
  ValueId unary(std::string name, UnaryKind kind, ValueId x) {
    return add(std::move(name), Unary{kind}, {x});
  }
  ValueId mean(std::string name, ValueId x, std::vector<int> axes, bool keep_dims = true) {
    return add(std::move(name), Reduce{ReduceKind::kMean, std::move(axes), keep_dims}, {x});
  }

  /// Marks `id` and returns it; kNone leaves it as it is.
  ValueId marked(ValueId id, Mark mark);
  Mark mark(ValueId id) const { return graph_.value(id).mark; }

  const Shape& shape(ValueId id) const { return graph_.shape(id); }
  Graph& graph() { return graph_; }

 private:
  Graph& graph_;
  std::vector<Node>& nodes_;
};

}  // namespace sealite::graph

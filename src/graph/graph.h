#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/op.h"
#include "graph/quantization.h"
#include "graph/source.h"

namespace sealite::graph {

/// Index of a value in its graph; a type of its own so that it cannot be mixed up with other numbers.
enum class ValueId : std::uint32_t {};

/// A tensor on a wire: an input, a node's output or a constant (then it has a source).
struct Value {
  std::string name;
  DType type = DType::kFloat32;
  Shape shape;  // NHWC; batch 1 unless the graph says otherwise
  SourcePtr source;
  std::shared_ptr<const Quantization> quantization{};  // of integer constants
};

/// The real values of a constant: integers times their scales, halves widened (row-major float32).
std::vector<float> read_reals(const Value& constant);
/// Those of some rows.
std::vector<float> read_reals(const Value& constant, Rows rows);

/// One operation. Every op has exactly one output.
struct Node {
  std::string name;
  Op op;
  std::vector<ValueId> inputs;
  ValueId output{};
};

/// A network as data: values, and nodes in an order in which they can run. No I/O, no weights in memory.
class Graph {
 public:
  ValueId add_value(Value value);
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  std::size_t value_count() const { return values_.size(); }
  const Shape& shape(ValueId id) const { return value(id).shape; }

  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  /// The node that computes `id`, or nullptr for inputs and constants.
  const Node* producer(ValueId id) const;
  /// How many node inputs and graph outputs read `id`.
  std::size_t use_count(ValueId id) const;

 private:
  std::deque<Value> values_;  // references stay valid while patches add values
};

/// Multiply-accumulates of one run at the graph's shapes: convolutions and matrix products only, as the usual
/// counters do.
std::uint64_t multiply_accumulates(const Graph& graph);

/// Throws kInternal if the graph is not sound: an input read before it is made, a type or shape that
/// inference does not give, a value made twice, rank above 4.
void verify(const Graph& graph);

/// One line per node: "%12 = CONV_2D stride 4 (%0, stem.weight, stem.bias) : float32 [1, 64, 64, 96]  #
/// stem".
std::string dump(const Graph& graph);

}  // namespace sealite::graph

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/op.h"
#include "graph/quantization.h"
#include "graph/source.h"

namespace sealite::graph {

/// Index of a value in its graph; a type of its own so that it cannot be mixed up with other numbers.
enum class ValueId : std::uint32_t {};

/// What a value is, said by whoever makes it and knows (a network's builder, a pass that lowers), so that
/// nobody after them has to recognise it by operators, shapes or names. It stays when another node makes the
/// value. A graph that was read from a file has none.
enum class Mark : std::uint8_t {
  kNone,
  kPicture,     // the picture, whole, whatever its layout, range or colours
  kMessage,     // zeros and ones
  kStem,        // made by a layer that reads the picture
  kHead,        // the logits, before a sigmoid
  kRepeated,    // [N,1,1,C] (the first input of its node) in every pixel
  kBlockInput,  // what comes after it, up to a GRN's product, works on each pixel by itself but for the GRN
  kGrnSums,     // of a lowered GRN: the sums of squares over H and W, [N,1,1,C]
  kGrnScale,    // of a lowered GRN: what its input is multiplied by, [N,1,1,C]
};

/// "stem"; empty for kNone.
std::string_view mark_name(Mark mark);

/// A tensor on a wire: an input, a node's output or a constant (then it has a source).
struct Value {
  std::string name;
  DType type = DType::kFloat32;
  Shape shape;  // NHWC; batch 1 unless the graph says otherwise
  SourcePtr source;
  std::shared_ptr<const Quantization> quantization{};  // of integer constants
  Mark mark = Mark::kNone;
};

/// The real values of a constant: integers times their scales, fp16 widened (row-major float32).
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
  /// Throws kInternal if the value has another mark.
  void mark(ValueId id, Mark mark);

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

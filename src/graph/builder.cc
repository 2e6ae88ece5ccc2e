#include "graph/builder.h"

#include "graph/infer_shape.h"

namespace sealite::graph {

ValueId Builder::input(std::string name, Shape shape, Mark mark) {
  const ValueId id = graph_.add_value({std::move(name), DType::kFloat32, std::move(shape), nullptr});
  graph_.inputs.push_back(id);
  return marked(id, mark);
}

ValueId Builder::marked(ValueId id, Mark mark) {
  if (mark != Mark::kNone) graph_.mark(id, mark);
  return id;
}

ValueId Builder::constant(std::string name, SourcePtr source) {
  Value value{std::move(name), source->type(), source->shape(), nullptr};
  value.source = std::move(source);
  return graph_.add_value(std::move(value));
}

ValueId Builder::constant(std::string name, Shape shape, std::vector<float> values) {
  return constant(std::move(name), literal(std::move(shape), std::move(values)));
}

ValueId Builder::add(std::string name, Op op, std::vector<ValueId> inputs) {
  Shape shape = infer_shape(graph_, op, inputs, name);
  const ValueId output = graph_.add_value({name, DType::kFloat32, std::move(shape), nullptr});
  nodes_.push_back({std::move(name), std::move(op), std::move(inputs), output});
  return output;
}

}  // namespace sealite::graph

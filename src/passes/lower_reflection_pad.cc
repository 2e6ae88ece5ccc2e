#include <fmt/format.h>

#include "passes/rules.h"

namespace sealite::passes {
namespace {

// Mirrors one axis: [x[amount], …, x[1], x, x[n-2], …, x[n-1-amount]].
ValueId reflect_axis(Builder& patch, const std::string& name, ValueId x, std::size_t axis,
                     std::int64_t amount) {
  const Shape shape = patch.shape(x);
  const auto slice = [&](std::int64_t position) {
    std::vector<std::int64_t> begin(shape.size(), 0);
    Shape size(shape.size(), -1);
    begin[axis] = position;
    size[axis] = 1;
    return patch.add(fmt::format("{}.slice{}", name, position), graph::Slice{begin, size}, {x});
  };
  std::vector<ValueId> parts;
  for (std::int64_t i = amount; i >= 1; --i) parts.push_back(slice(i));
  parts.push_back(x);
  for (std::int64_t i = 1; i <= amount; ++i) parts.push_back(slice(shape[axis] - 1 - i));
  return patch.add(name, graph::Concatenation{static_cast<int>(axis)}, parts);
}

}  // namespace

std::optional<ValueId> lower_reflection_pad(const Graph&, const Node& node, Builder& patch) {
  const auto* pad = std::get_if<graph::ReflectionPad>(&node.op);
  if (pad == nullptr) return std::nullopt;
  const ValueId rows = reflect_axis(patch, node.name + ".rows", node.inputs[0], 1, pad->amount);
  return reflect_axis(patch, node.name + ".columns", rows, 2, pad->amount);
}

}  // namespace sealite::passes

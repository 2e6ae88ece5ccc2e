#include "graph/stored_precision.h"

#include <set>
#include <utility>

namespace sealite::graph {

StoredValues stored_values(const Graph& graph) {
  StoredValues values;
  std::set<ValueId> counted;
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      const Value& value = graph.value(id);
      if (value.source && counted.insert(id).second)
        values[value.type] += element_count(value.shape).value_or(0);
    }
  }
  return values;
}

std::string_view precision_of(const StoredValues& values) {
  constexpr std::uint64_t kShare = 100;
  constexpr std::pair<DType, std::string_view> kCoarsestFirst[] = {
      {DType::kInt4, "int4"}, {DType::kInt8, "int8"}, {DType::kFloat16, "fp16"}};
  std::uint64_t all = 0;
  for (const auto& [type, count] : values) all += count;
  for (const auto& [type, name] : kCoarsestFirst) {
    const auto found = values.find(type);
    if (found != values.end() && found->second > 0 && found->second >= all / kShare) return name;
  }
  return "float32";
}

}  // namespace sealite::graph

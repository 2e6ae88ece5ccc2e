#include "graph/stored_precision.h"

#include <gtest/gtest.h>

#include "graph/builder.h"

namespace sealite::graph {
namespace {

TEST(StoredPrecision, TheCoarsestTypeThatHoldsOneValueInAHundred) {
  EXPECT_EQ(precision_of({}), "float32");
  EXPECT_EQ(precision_of({{DType::kFloat32, 7}}), "float32");
  EXPECT_EQ(precision_of({{DType::kFloat32, 99}, {DType::kFloat16, 1}}), "fp16");
  EXPECT_EQ(precision_of({{DType::kFloat32, 200}, {DType::kInt8, 9800}, {DType::kInt4, 99}}), "int8");
  EXPECT_EQ(precision_of({{DType::kFloat32, 200}, {DType::kInt8, 9700}, {DType::kInt4, 100}}), "int4");
}

TEST(StoredPrecision, CountsWhatNodesReadOnce) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 4});
  const ValueId weight = builder.constant("w", filled({1, 4}, 1));
  builder.constant("idle", filled({100}, 1));
  graph.outputs = {
      builder.binary("b", BinaryKind::kAdd, builder.binary("a", BinaryKind::kAdd, x, weight), weight)};
  EXPECT_EQ(stored_values(graph), (StoredValues{{DType::kFloat32, 4}}));
}

}  // namespace
}  // namespace sealite::graph

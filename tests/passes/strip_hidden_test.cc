#include <gtest/gtest.h>

#include <set>

#include "passes/rules.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

// What is left of a ConvNeXtV2 block without its depthwise convolution when everything else has run.
Graph lowered_block(const Shape& shape, std::int64_t hidden, UnaryKind activation = UnaryKind::kGelu,
                    Mark mark = Mark::kBlockInput) {
  Sketch sketch(shape);
  const ValueId x = sketch.marked(sketch.binary(BinaryKind::kAdd, sketch.x, sketch.scalar(0.1F)), mark);
  ValueId y = sketch.bare_norm(x, {1e-3F, false});
  y = sketch.add("gelu", Unary{activation}, {sketch.linear(y, hidden)});
  y = sketch.add("grn", GlobalResponseNorm{}, {y, sketch.weight("gamma", {hidden})});
  y = sketch.add("pwconv2", FullyConnected{},
                 {y, sketch.weight("w2", {shape[3], hidden}, -0.1F, 0.1F), sketch.weight("b2", {shape[3]})});
  Graph graph = sketch.finish({sketch.binary(BinaryKind::kAdd, x, y)});
  run_pipeline(graph, {});
  return graph;
}

TEST(StripHidden, AWideOneGoesThroughTheCachesInStrips) {
  // 99 rows of 96 pixels and 960 channels: 9.1 million elements are six strips, of 16 and 17 rows.
  const Graph before = lowered_block({1, 99, 96, 8}, 960);
  Graph after = before;
  PipelineOptions late;
  late.phase = Phase::kAfterQuantization;
  run_pipeline(after, late);
  expect_same(before, after);
  const auto counts = op_counts(after);
  EXPECT_EQ(counts.at("SLICE"), 6);
  EXPECT_EQ(counts.at("GELU"), 6);
  EXPECT_EQ(counts.at("SUM"), 6);
  EXPECT_EQ(counts.at("FULLY_CONNECTED"), 6 + 1 + 6);
  EXPECT_EQ(counts.at("CONCATENATION"), 2 + 1);
  std::set<ValueId> filters;
  for (const Node& node : after.nodes) {
    if (std::holds_alternative<FullyConnected>(node.op)) filters.insert(node.inputs[1]);
    EXPECT_LE(element_count(after.shape(node.output)).value_or(0), 17U * 96 * 960) << node.name;
  }
  EXPECT_EQ(filters.size(), 3U);  // the strips share theirs
  EXPECT_NE(after.producer(after.outputs[0]), nullptr);
}

TEST(StripHidden, OfSeveralPicturesAtOnce) {
  const Graph before = lowered_block({2, 64, 64, 4}, 1024);
  EXPECT_EQ(op_counts(rewritten(before, strip_hidden)).at("GELU"), 6);
}

// The marks tell the block, whatever it computes for each pixel.
TEST(StripHidden, WithAnotherActivation) {
  const Graph before = lowered_block({1, 99, 96, 8}, 960, UnaryKind::kLogistic);
  EXPECT_EQ(op_counts(rewritten(before, strip_hidden)).at("LOGISTIC"), 6);
}

TEST(StripHidden, NotWithoutTheMark) {
  expect_untouched(lowered_block({1, 99, 96, 8}, 960, UnaryKind::kGelu, Mark::kNone), strip_hidden);
}

TEST(StripHidden, NotWhatIsSmall) {
  expect_untouched(lowered_block({1, 64, 64, 8}, 1024), strip_hidden);
}

// Each strip's product may cost its filters' memory again.
TEST(StripHidden, NotWhereTheFiltersAreAsLarge) {
  expect_untouched(lowered_block({1, 32, 32, 512}, 10000), strip_hidden);
}

// Another reader of the hidden activation would need it whole.
TEST(StripHidden, NotWhatIsReadElsewhere) {
  Graph graph = lowered_block({1, 99, 96, 8}, 960);
  for (const Node& node : graph.nodes) {
    if (node.name == "gelu") graph.outputs.push_back(node.output);
  }
  ASSERT_EQ(graph.outputs.size(), 2U);
  expect_untouched(graph, strip_hidden);
}

// A norm over more than a pixel's channels is not cut.
TEST(StripHidden, NotWhatLooksBeyondThePixel) {
  Sketch sketch({1, 99, 96, 8});
  sketch.marked(sketch.x, Mark::kBlockInput);
  const ValueId mean = sketch.add("mean", Reduce{ReduceKind::kMean, {1, 2}, true}, {sketch.x});
  ValueId y = sketch.binary(BinaryKind::kMul, sketch.x, mean);
  y = sketch.add("gelu", Unary{UnaryKind::kGelu}, {sketch.linear(y, 960)});
  y = sketch.add("grn", GlobalResponseNorm{}, {y, sketch.weight("gamma", {960})});
  Graph graph = sketch.finish({sketch.linear(y, 8)});
  run_pipeline(graph, {});
  expect_untouched(graph, strip_hidden);
}

}  // namespace
}  // namespace sealite::passes

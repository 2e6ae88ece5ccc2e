#include <gtest/gtest.h>

#include "passes/rules.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

using Counts = std::map<std::string, int>;

TEST(LowerLayerNorm, EveryForm) {
  Sketch full;
  EXPECT_EQ(
      op_counts(rewritten(full.finish({full.norm(full.x)}), lower_layer_norm)),
      (Counts{{"MEAN", 2}, {"SQUARED_DIFFERENCE", 1}, {"ADD", 2}, {"RSQRT", 1}, {"SUB", 1}, {"MUL", 2}}));
  Sketch bare;
  EXPECT_EQ(
      op_counts(rewritten(bare.finish({bare.bare_norm(bare.x)}), lower_layer_norm)),
      (Counts{{"MEAN", 2}, {"SQUARED_DIFFERENCE", 1}, {"ADD", 1}, {"RSQRT", 1}, {"SUB", 1}, {"MUL", 1}}));
  Sketch scaled;
  EXPECT_EQ(
      op_counts(rewritten(scaled.finish({scaled.bare_norm(scaled.x, {1e-3F, false})}), lower_layer_norm)),
      (Counts{{"MEAN", 2}, {"SQUARED_DIFFERENCE", 1}, {"ADD", 1}, {"RSQRT", 1}, {"MUL", 1}}));
}

TEST(LowerLayerNorm, OfAnyRank) {
  Sketch sketch({5, 8});
  rewritten(sketch.finish({sketch.norm(sketch.x)}), lower_layer_norm);
}

TEST(LowerGrn, WithAndWithoutBeta) {
  Sketch full;
  const Counts with{{"MUL", 3}, {"SUM", 1}, {"SQRT", 1}, {"FULLY_CONNECTED", 1}, {"DIV", 1}, {"ADD", 2}};
  EXPECT_EQ(op_counts(rewritten(full.finish({full.grn(full.x)}), lower_grn)), with);
  Sketch bare({2, 3, 5, 6});
  const ValueId y = bare.add("grn", GlobalResponseNorm{}, {bare.x, bare.weight("gamma", {6})});
  const Counts without{{"MUL", 3}, {"SUM", 1}, {"SQRT", 1}, {"FULLY_CONNECTED", 1}, {"DIV", 1}, {"ADD", 1}};
  EXPECT_EQ(op_counts(rewritten(bare.finish({y}), lower_grn)), without);
}

TEST(SplitDepthwise, SmallOnesAreSevenPieces) {
  for (const Shape& shape :
       {Shape{1, 9, 11, 3}, Shape{2, 7, 7, 2}, Shape{1, 2, 3, 4}, Shape{1, 1, 1, 5}, Shape{1, 16, 16, 512}}) {
    Sketch sketch(shape);
    const Graph after = rewritten(sketch.finish({sketch.depthwise(sketch.x, 7)}), split_depthwise);
    EXPECT_EQ(op_counts(after), (Counts{{"DEPTHWISE_CONV_2D", 7}, {"ADD", 6}}));
  }
}

TEST(SplitDepthwise, LargeOnesAreThree) {
  Sketch sketch({1, 16, 16, 513});
  const Graph after = rewritten(sketch.finish({sketch.depthwise(sketch.x, 7)}), split_depthwise);
  EXPECT_EQ(op_counts(after), (Counts{{"DEPTHWISE_CONV_2D", 3}, {"ADD", 2}}));
}

TEST(SplitSmallConvolution, OneProductForEachPosition) {
  Sketch sketch({2, 10, 10, 5});
  const Graph after = rewritten(sketch.finish({sketch.conv(sketch.x, 4, 3)}), split_small_convolution);
  EXPECT_EQ(op_counts(after), (Counts{{"SLICE", 9}, {"FULLY_CONNECTED", 9}, {"ADD", 8}}));
}

TEST(SplitSmallConvolution, OthersStay) {
  Sketch large({1, 10, 11, 3});
  expect_untouched(large.finish({large.conv(large.x, 4, 3)}), split_small_convolution);
  Sketch sketch({1, 8, 8, 3});
  expect_untouched(sketch.finish({sketch.conv(sketch.x, 4, 1), sketch.conv(sketch.x, 4, 2, {.stride = 2}),
                                  sketch.conv(sketch.x, 4, 3, {.padding = Padding::kSame})}),
                   split_small_convolution);
}

TEST(SplitDepthwise, OthersStay) {
  Sketch sketch({1, 9, 9, 3});
  expect_untouched(
      sketch.finish({sketch.depthwise(sketch.x, 5), sketch.depthwise(sketch.x, 7, {1, 1, Padding::kValid}),
                     sketch.depthwise(sketch.x, 7, {2, 1, Padding::kSame}),
                     sketch.depthwise(sketch.x, 7, {1, 2, Padding::kSame})}),
      split_depthwise);
}

TEST(LowerReflectionPad, OfOneAndTwo) {
  for (const std::int64_t amount : {1, 2}) {
    Sketch sketch({2, 3, 4, 5});
    const ValueId y = sketch.add("pad", ReflectionPad{amount}, {sketch.x});
    const Graph after = rewritten(sketch.finish({y}), lower_reflection_pad);
    EXPECT_EQ(op_counts(after), (Counts{{"SLICE", static_cast<int>(4 * amount)}, {"CONCATENATION", 2}}));
  }
}

TEST(Lowering, LeavesOtherNodes) {
  Sketch sketch;
  const Graph graph = sketch.finish({sketch.linear(sketch.x, 3)});
  for (const Pass& pass : pipeline()) expect_untouched(graph, pass.rule);
}

// A lowered node's output keeps its name, whatever it is in the middle of.
TEST(Lowering, KeepsTheNamesOfOutputs) {
  Sketch sketch;
  const ValueId norm = sketch.norm(sketch.x);
  const ValueId grn = sketch.grn(norm);
  const Graph before = sketch.finish({norm, grn, sketch.add("pad", ReflectionPad{1}, {grn})});
  Graph after = rewritten(before, lower_layer_norm);
  after = rewritten(after, lower_grn);
  after = rewritten(after, lower_reflection_pad);
  expect_same(before, after);
}

}  // namespace
}  // namespace sealite::passes

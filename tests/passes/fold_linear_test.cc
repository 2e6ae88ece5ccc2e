#include <gtest/gtest.h>

#include "passes/rules.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

using Counts = std::map<std::string, int>;

TEST(FoldScalarAffine, PreprocessingGoesIntoTheStem) {
  Sketch sketch;
  const ValueId doubled = sketch.binary(BinaryKind::kMul, sketch.x, sketch.scalar(2));
  const ValueId shifted = sketch.binary(BinaryKind::kSub, doubled, sketch.scalar(1));
  const Graph after = rewritten(sketch.finish({sketch.conv(shifted, 8, 4, {2})}), fold_scalar_affine);
  EXPECT_EQ(op_counts(after), (Counts{{"CONV_2D", 1}}));
}

TEST(FoldScalarAffine, EachKindIntoEachLinearLayer) {
  for (const BinaryKind kind : {BinaryKind::kMul, BinaryKind::kAdd, BinaryKind::kSub}) {
    for (const bool dense : {false, true}) {
      Sketch sketch;
      const ValueId scaled = sketch.binary(kind, sketch.x, sketch.scalar(-1.5F));
      const ValueId y = dense ? sketch.linear(scaled, 3) : sketch.conv(scaled, 3, 3);
      const Graph after = rewritten(sketch.finish({y}), fold_scalar_affine);
      EXPECT_EQ(op_counts(after), (Counts{{dense ? "FULLY_CONNECTED" : "CONV_2D", 1}}));
    }
  }
}

TEST(FoldScalarAffine, AScalarOfAnyRank) {
  for (const Shape& shape : {Shape{1}, Shape{1, 1}, Shape{1, 1, 1, 1}}) {
    Sketch sketch;
    const ValueId y = sketch.binary(BinaryKind::kMul, sketch.x, sketch.weight("scale", shape));
    EXPECT_EQ(rewritten(sketch.finish({sketch.linear(y, 3)}), fold_scalar_affine).nodes.size(), 1U);
  }
}

// [2,4] * [1,1,1] is [1,2,4]: without the product the layer's output would lose an axis.
TEST(FoldScalarAffine, AScalarThatAddsAxesStays) {
  Sketch sketch({2, 4});
  const ValueId y = sketch.binary(BinaryKind::kMul, sketch.x, sketch.weight("scale", {1, 1, 1}));
  expect_untouched(sketch.finish({sketch.linear(y, 3)}), fold_scalar_affine);
}

TEST(FoldScalarAffine, LeavesTheRest) {
  Sketch division;
  expect_untouched(division.finish({division.linear(
                       division.binary(BinaryKind::kDiv, division.x, division.scalar(2)), 3)}),
                   fold_scalar_affine);
  Sketch reversed;  // 1 - x
  expect_untouched(reversed.finish({reversed.linear(
                       reversed.binary(BinaryKind::kSub, reversed.scalar(1), reversed.x), 3)}),
                   fold_scalar_affine);
  Sketch vector;
  expect_untouched(
      vector.finish({vector.linear(vector.binary(BinaryKind::kMul, vector.x, vector.weight("v", {4})), 3)}),
      fold_scalar_affine);
  Sketch relu;
  const ValueId positive =
      relu.add("relu", Binary{BinaryKind::kMul, Activation::kRelu}, {relu.x, relu.scalar(2)});
  expect_untouched(relu.finish({relu.linear(positive, 3)}), fold_scalar_affine);
  Sketch padded;  // a padding zero would not get the offset
  const ValueId shifted = padded.binary(BinaryKind::kSub, padded.x, padded.scalar(1));
  expect_untouched(padded.finish({padded.conv(shifted, 3, 3, {1, Padding::kSame})}), fold_scalar_affine);
  Sketch shared;
  const ValueId twice = shared.binary(BinaryKind::kMul, shared.x, shared.scalar(2));
  expect_untouched(shared.finish({shared.linear(twice, 3), twice}), fold_scalar_affine);
}

class FoldNorms : public ::testing::TestWithParam<bool> {
 protected:
  // The linear layer after the norm: a product or a convolution.
  static ValueId layer(Sketch& sketch, ValueId x) {
    return GetParam() ? sketch.linear(x, 5) : sketch.conv(x, 5, 2, {2});
  }
};

TEST_P(FoldNorms, AffineGoesIntoTheLayer) {
  Sketch sketch;
  const Graph after = rewritten(sketch.finish({layer(sketch, sketch.norm(sketch.x))}), fold_norm_affine);
  ASSERT_EQ(after.nodes.size(), 2U);
  EXPECT_EQ(op_name(after.nodes[0].op), "LAYER_NORM");
  EXPECT_EQ(after.nodes[0].inputs.size(), 1U);
}

TEST_P(FoldNorms, MeanGoesIntoTheLayer) {
  Sketch sketch;
  const Graph after = rewritten(sketch.finish({layer(sketch, sketch.bare_norm(sketch.x))}), fold_norm_mean);
  ASSERT_EQ(after.nodes.size(), 2U);
  EXPECT_FALSE(std::get<LayerNorm>(after.nodes[0].op).subtract_mean);
  EXPECT_EQ(std::get<LayerNorm>(after.nodes[0].op).epsilon, 1e-3F);
}

TEST_P(FoldNorms, BetaOfGrnGoesIntoTheLayer) {
  Sketch sketch;
  const Graph after = rewritten(sketch.finish({layer(sketch, sketch.grn(sketch.x))}), fold_grn_beta);
  ASSERT_EQ(after.nodes.size(), 2U);
  EXPECT_EQ(after.nodes[0].inputs.size(), 2U);
}

TEST_P(FoldNorms, WhatOthersReadStays) {
  for (const bool as_output : {false, true}) {
    Sketch sketch;
    const ValueId norm = sketch.norm(sketch.x);
    const ValueId y = layer(sketch, norm);
    const ValueId other = as_output ? norm : sketch.add("other", Unary{UnaryKind::kGelu}, {norm});
    expect_untouched(sketch.finish({y, other}), fold_norm_affine);
    Sketch bare;
    const ValueId bare_norm = bare.bare_norm(bare.x);
    expect_untouched(bare.finish({layer(bare, bare_norm), bare_norm}), fold_norm_mean);
    Sketch grn;
    const ValueId response = grn.grn(grn.x);
    expect_untouched(grn.finish({layer(grn, response), response}), fold_grn_beta);
  }
}

TEST_P(FoldNorms, OnlyDirectlyBeforeTheLayer) {
  Sketch sketch;
  const ValueId y = sketch.add("act", Unary{UnaryKind::kGelu}, {sketch.norm(sketch.x)});
  expect_untouched(sketch.finish({layer(sketch, y)}), fold_norm_affine);
  Sketch done;
  const ValueId norm = done.bare_norm(done.x, {1e-3F, false});
  expect_untouched(done.finish({layer(done, norm)}), fold_norm_mean);
  Sketch affine;  // its affine part has to go first
  expect_untouched(affine.finish({layer(affine, affine.norm(affine.x))}), fold_norm_mean);
}

INSTANTIATE_TEST_SUITE_P(Layers, FoldNorms, ::testing::Bool(), [](const auto& layer) {
  return std::string(layer.param ? "FullyConnected" : "Convolution");
});

TEST(FoldNormsPadded, AreLeft) {
  const Conv2D same{1, Padding::kSame};
  Sketch affine;
  expect_untouched(affine.finish({affine.conv(affine.norm(affine.x), 5, 3, same)}), fold_norm_affine);
  Sketch mean;
  expect_untouched(mean.finish({mean.conv(mean.bare_norm(mean.x), 5, 3, same)}), fold_norm_mean);
  Sketch grn;
  expect_untouched(grn.finish({grn.conv(grn.grn(grn.x), 5, 3, same)}), fold_grn_beta);
  Sketch depthwise;
  expect_untouched(depthwise.finish({depthwise.depthwise(depthwise.norm(depthwise.x), 3)}), fold_norm_affine);
}

TEST(FoldNormsTwice, OfManyLayers) {
  Sketch sketch;
  ValueId y = sketch.x;
  for (int i = 0; i < 3; ++i) y = sketch.linear(sketch.norm(y), 4);
  const Graph before = sketch.finish({y});
  const Graph affine = rewritten(before, fold_norm_affine);
  const Graph mean = rewritten(affine, fold_norm_mean);
  expect_same(before, mean);
  EXPECT_EQ(op_counts(mean), (Counts{{"FULLY_CONNECTED", 3}, {"LAYER_NORM", 3}}));
}

}  // namespace
}  // namespace sealite::passes

#include <gtest/gtest.h>

#include "passes/rules.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

using Counts = std::map<std::string, int>;

ValueId batch_norm(Sketch& sketch, ValueId x, std::int64_t channels) {
  return sketch.add("norm", BatchNorm{},
                    {x, sketch.weight("gamma", {channels}), sketch.weight("beta", {channels}),
                     sketch.weight("mean", {channels}), sketch.weight("variance", {channels}, 0.1F, 2)});
}

TEST(FoldBatchNorm, GoesIntoTheLayerBeforeIt) {
  for (const Padding padding : {Padding::kValid, Padding::kSame}) {
    Sketch sketch;
    const ValueId y = batch_norm(sketch, sketch.conv(sketch.x, 5, 3, {1, padding}), 5);
    EXPECT_EQ(op_counts(rewritten(sketch.finish({y}), fold_batch_norm)), (Counts{{"CONV_2D", 1}}));
  }
  Sketch dense;
  const ValueId y = batch_norm(dense, dense.linear(dense.x, 5), 5);
  EXPECT_EQ(op_counts(rewritten(dense.finish({y}), fold_batch_norm)), (Counts{{"FULLY_CONNECTED", 1}}));
}

TEST(FoldBatchNorm, ElsewhereItIsAProductAndASum) {
  const Counts lowered{{"MUL", 1}, {"ADD", 1}};
  Sketch first;
  EXPECT_EQ(op_counts(rewritten(first.finish({batch_norm(first, first.x, 4)}), fold_batch_norm)), lowered);
  Sketch shared;  // another reader wants the convolution as it is
  const ValueId conv = shared.conv(shared.x, 5, 3);
  EXPECT_EQ(op_counts(rewritten(shared.finish({batch_norm(shared, conv, 5), conv}), fold_batch_norm)),
            (Counts{{"CONV_2D", 1}, {"MUL", 1}, {"ADD", 1}}));
  Sketch relu;
  const ValueId positive = relu.conv(relu.x, 5, 3, {.activation = Activation::kRelu});
  EXPECT_EQ(op_counts(rewritten(relu.finish({batch_norm(relu, positive, 5)}), fold_batch_norm)),
            (Counts{{"CONV_2D", 1}, {"MUL", 1}, {"ADD", 1}}));
}

TEST(FuseRelu, IntoEachKindOfOperator) {
  for (const int kind : {0, 1, 2}) {
    Sketch sketch;
    ValueId y = sketch.x;
    if (kind == 0) y = sketch.conv(y, 3, 3);
    if (kind == 1) y = sketch.linear(y, 3);
    if (kind == 2) y = sketch.binary(BinaryKind::kSub, y, sketch.scalar(0.5F));
    const Graph after =
        rewritten(sketch.finish({sketch.add("relu", Unary{UnaryKind::kRelu}, {y})}), fuse_relu);
    ASSERT_EQ(after.nodes.size(), 1U);
    EXPECT_EQ(activation_of(after.nodes[0].op), Activation::kRelu);
  }
}

TEST(FuseRelu, LeavesTheRest) {
  Sketch input;
  expect_untouched(input.finish({input.add("relu", Unary{UnaryKind::kRelu}, {input.x})}), fuse_relu);
  Sketch shared;
  const ValueId conv = shared.conv(shared.x, 3, 3);
  expect_untouched(shared.finish({shared.add("relu", Unary{UnaryKind::kRelu}, {conv}), conv}), fuse_relu);
  Sketch square;  // has no activation in TFLite
  const ValueId y = square.binary(BinaryKind::kSquaredDifference, square.x, square.scalar(1));
  expect_untouched(square.finish({square.add("relu", Unary{UnaryKind::kRelu}, {y})}), fuse_relu);
  Sketch other;
  expect_untouched(other.finish({other.add("act", Unary{UnaryKind::kTanh}, {other.conv(other.x, 3, 3)})}),
                   fuse_relu);
}

}  // namespace
}  // namespace sealite::passes

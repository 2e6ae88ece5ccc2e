// The passes around concatenations of channels: skip connections, and a message repeated over a picture.
#include <gtest/gtest.h>

#include "passes/rules.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

using Counts = std::map<std::string, int>;

ValueId upsampled(Sketch& sketch, ValueId x) {
  x = sketch.add("resize", ResizeBilinear{12, 12}, {x});
  return sketch.add("pad", ReflectionPad{1}, {x});
}

TEST(FoldSkipScale, GoesThroughResizeAndPadding) {
  Sketch sketch;
  const ValueId skip = sketch.binary(BinaryKind::kMul, sketch.x, sketch.scalar(0.7F));
  const ValueId joined = sketch.add("concat", Concatenation{3}, {sketch.x, skip});
  const Graph after =
      rewritten(sketch.finish({sketch.conv(upsampled(sketch, joined), 3, 3)}), fold_skip_scale);
  EXPECT_EQ(op_counts(after),
            (Counts{{"CONCATENATION", 1}, {"RESIZE_BILINEAR", 1}, {"MIRROR_PAD", 1}, {"CONV_2D", 1}}));
}

TEST(FoldSkipScale, LeavesTheRest) {
  Sketch shared;  // another reader wants the scaled skip
  const ValueId skip = shared.binary(BinaryKind::kMul, shared.x, shared.scalar(0.7F));
  const ValueId joined = shared.add("concat", Concatenation{3}, {shared.x, skip});
  expect_untouched(shared.finish({shared.conv(joined, 3, 3), skip}), fold_skip_scale);
  Sketch offset;  // a padding zero would not get it
  const ValueId moved = offset.binary(BinaryKind::kAdd, offset.x, offset.scalar(0.7F));
  const ValueId with = offset.add("concat", Concatenation{3}, {offset.x, moved});
  expect_untouched(offset.finish({offset.conv(with, 3, 3)}), fold_skip_scale);
  Sketch rows;
  const ValueId scaled = rows.binary(BinaryKind::kMul, rows.x, rows.scalar(0.7F));
  const ValueId stacked = rows.add("concat", Concatenation{1}, {rows.x, scaled});
  expect_untouched(rows.finish({rows.conv(stacked, 3, 3)}), fold_skip_scale);
}

TEST(SplitConcatenation, OneLayerForEachPart) {
  Sketch sketch;
  const ValueId wide = sketch.linear(sketch.x, 6);
  const ValueId inner = sketch.add("inner", Concatenation{3}, {wide, sketch.x});
  const ValueId joined = sketch.add("outer", Concatenation{3}, {sketch.x, inner});
  const Graph after =
      rewritten(sketch.finish({sketch.conv(upsampled(sketch, joined), 3, 3)}), split_concatenation);
  EXPECT_EQ(
      op_counts(after),
      (Counts{
          {"FULLY_CONNECTED", 1}, {"RESIZE_BILINEAR", 3}, {"MIRROR_PAD", 3}, {"CONV_2D", 3}, {"ADD", 2}}));
}

TEST(SplitConcatenation, LeavesTheRest) {
  Sketch relu;  // max(a + b, 0) is no sum
  const ValueId joined = relu.add("concat", Concatenation{3}, {relu.x, relu.x});
  expect_untouched(relu.finish({relu.conv(joined, 3, 3, {.activation = Activation::kRelu})}),
                   split_concatenation);
  Sketch rows;
  const ValueId stacked = rows.add("concat", Concatenation{1}, {rows.x, rows.x});
  expect_untouched(rows.finish({rows.conv(stacked, 3, 3)}), split_concatenation);
}

// A picture and one pixel [1,1,1,3] repeated over it.
ValueId repeated(Sketch& sketch, ValueId pixel, std::int64_t height, std::int64_t width) {
  const Shape shape{1, height, width, 1};
  std::vector<float> ones(element_count(shape).value(), 1.0F);
  const ValueId constant = sketch.constant("ones", shape, std::move(ones));
  return sketch.marked(sketch.binary(BinaryKind::kMul, pixel, constant), Mark::kRepeated);
}

TEST(HoistRepeated, ResizesAndValidConvolutionsOfOnePixel) {
  Sketch sketch({2, 1, 1, 3});
  const ValueId y = sketch.conv(upsampled(sketch, repeated(sketch, sketch.x, 6, 6)), 4, 3);
  EXPECT_EQ(op_counts(rewritten(sketch.finish({y}), hoist_repeated)),
            (Counts{{"FULLY_CONNECTED", 1}, {"MUL", 1}}));
}

TEST(HoistRepeated, ASumBroadcasts) {
  Sketch sketch({2, 1, 1, 3});
  const ValueId picture = repeated(sketch, sketch.add("act", Unary{UnaryKind::kTanh}, {sketch.x}), 5, 4);
  const ValueId changed = sketch.add("act", Unary{UnaryKind::kTanh}, {picture});
  const ValueId y = sketch.linear(repeated(sketch, sketch.x, 5, 4), 3);
  const Graph after = rewritten(sketch.finish({sketch.binary(BinaryKind::kAdd, y, changed)}), hoist_repeated);
  EXPECT_EQ(op_counts(after), (Counts{{"FULLY_CONNECTED", 1}, {"MUL", 1}, {"TANH", 2}, {"ADD", 1}}));
}

TEST(HoistRepeated, AZeroPaddedConvolutionHasNineKindsOfPixels) {
  for (const auto& [height, width] : {std::pair{4, 4}, {5, 9}, {32, 32}}) {
    Sketch sketch({2, 1, 1, 3});
    const ValueId y = sketch.conv(repeated(sketch, sketch.x, height, width), 4, 3, {1, Padding::kSame});
    EXPECT_EQ(op_counts(rewritten(sketch.finish({y}), hoist_repeated)),
              (Counts{{"MUL", 3}, {"CONV_2D", 1}, {"SLICE", 6}, {"CONCATENATION", 2}}));
  }
}

TEST(HoistRepeated, LeavesTheRest) {
  Sketch strided({1, 1, 1, 3});
  expect_untouched(
      strided.finish({strided.conv(repeated(strided, strided.x, 6, 6), 4, 3, {2, Padding::kSame})}),
      hoist_repeated);
  Sketch padded({1, 1, 1, 3});
  const ValueId zeros = padded.add("pad", ZeroPad{}, {repeated(padded, padded.x, 6, 6)});
  expect_untouched(padded.finish({padded.conv(zeros, 4, 3)}), hoist_repeated);
  Sketch other({1, 1, 1, 3});  // not ones
  const ValueId scaled = other.binary(BinaryKind::kMul, other.x, other.weight("w", {1, 6, 6, 1}));
  expect_untouched(other.finish({other.conv(scaled, 4, 3)}), hoist_repeated);
}

}  // namespace
}  // namespace sealite::passes

#include "graph/infer_shape.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "graph/builder.h"

namespace sealite::graph {
namespace {

Shape infer(const Op& op, const std::vector<Shape>& inputs) {
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> ids;
  for (const Shape& shape : inputs) ids.push_back(builder.input("x", shape));
  return infer_shape(graph, op, ids, "the_node");
}

struct Misfit {
  const char* says;
  Op op;
  std::vector<Shape> inputs;
};

// Names the case in ctest's list.
void PrintTo(const Misfit& misfit, std::ostream* out) {
  *out << op_name(misfit.op) << " " << misfit.says;
  for (const Shape& shape : misfit.inputs) *out << " " << to_string(shape);
}

class Misfits : public ::testing::TestWithParam<Misfit> {};

TEST_P(Misfits, AreRefusedByName) {
  expect_error(ErrorCode::kInternal, {"the_node", GetParam().says},
               [] { infer(GetParam().op, GetParam().inputs); });
}

const Shape kImage{1, 4, 4, 3};
const Shape kFilter{8, 3, 3, 3};

INSTANTIATE_TEST_SUITE_P(
    Ops, Misfits,
    ::testing::Values(
        Misfit{"OHWI", Conv2D{}, {kImage, {8, 3, 3, 4}, {8}}},
        Misfit{"OHWI", Conv2D{}, {{4, 3}, kFilter, {8}}}, Misfit{"bias", Conv2D{}, {kImage, kFilter, {7}}},
        Misfit{"missing", Conv2D{}, {kImage, kFilter}},
        Misfit{"smaller than the kernel", Conv2D{}, {{1, 2, 4, 3}, kFilter, {8}}},
        Misfit{"1HWC", DepthwiseConv2D{}, {kImage, {2, 3, 3, 3}, {3}}},
        Misfit{"1HWC", DepthwiseConv2D{}, {kImage, {1, 3, 3, 4}, {3}}},
        Misfit{"bias", DepthwiseConv2D{}, {kImage, {1, 3, 3, 3}, {4}}},
        Misfit{"smaller", DepthwiseConv2D{2, 1, Padding::kValid}, {kImage, {1, 3, 3, 3}, {3}}},
        Misfit{"filter OI", FullyConnected{}, {kImage, {8, 4}, {8}}},
        Misfit{"filter OI", FullyConnected{}, {{}, {8, 4}, {8}}},
        Misfit{"bias", FullyConnected{}, {kImage, {8, 3}, {3}}},
        Misfit{"broadcast", Binary{}, {kImage, {1, 4, 2, 3}}}, Misfit{"missing", Binary{}, {kImage}},
        Misfit{"missing", Unary{}, {}}, Misfit{"axis", Reduce{ReduceKind::kMean, {4}, true}, {kImage}},
        Misfit{"axis", Reduce{ReduceKind::kMean, {-1}, true}, {{4, 4}}},
        Misfit{"reflection", ReflectionPad{4}, {kImage}}, Misfit{"reflection", ReflectionPad{1}, {{4, 4}}},
        Misfit{"parts differ", Concatenation{1}, {kImage, {1, 4, 5, 3}}},
        Misfit{"parts differ", Concatenation{0}, {{2, 3}, {2, 3, 1}}},
        Misfit{"axis", Concatenation{4}, {kImage, kImage}}, Misfit{"rank", Slice{{0}, {1}}, {kImage}},
        Misfit{"outside", Slice{{0, 2}, {1, 3}}, {{4, 4}}},
        Misfit{"outside", Slice{{-1, 0}, {1, 1}}, {{5, 4}}},
        Misfit{"outside", Slice{{0, 0}, {0, 1}}, {{4, 5}}}, Misfit{"outside", Slice{{6}, {-1}}, {{5}}},
        Misfit{"element count", Reshape{{5}}, {{4}}}, Misfit{"rank", Transpose{{0, 1}}, {kImage}},
        Misfit{"axis", Transpose{{0, 2}}, {{4, 4}}}, Misfit{"positive size", ResizeBilinear{0, 4}, {kImage}},
        Misfit{"NHWC", ResizeNearest{4, 4}, {{4, 4}}}, Misfit{"block^2", DepthToSpace{2}, {kImage}},
        Misfit{"gamma and beta", LayerNorm{}, {kImage, {3}}},
        Misfit{"misfit", LayerNorm{}, {kImage, {3}, {4}}}, Misfit{"gamma", GlobalResponseNorm{}, {kImage}},
        Misfit{"misfit", GlobalResponseNorm{}, {kImage, {4}}}));

TEST(InferShape, Fits) {
  EXPECT_EQ(infer(Conv2D{2}, {{2, 9, 8, 3}, kFilter, {8}}), (Shape{2, 4, 3, 8}));
  EXPECT_EQ(infer(Conv2D{2, Padding::kSame}, {{2, 9, 8, 3}, kFilter, {8}}), (Shape{2, 5, 4, 8}));
  EXPECT_EQ(infer(DepthwiseConv2D{2, 3, Padding::kValid}, {{1, 9, 9, 3}, {1, 3, 3, 3}, {3}}),
            (Shape{1, 5, 3, 3}));
  EXPECT_EQ(infer(FullyConnected{}, {{2, 3}, {8, 3}, {8}}), (Shape{2, 8}));
  EXPECT_EQ(infer(Binary{}, {{3}, {2, 1, 1, 1}}), (Shape{2, 1, 1, 3}));
  EXPECT_EQ(infer(Reduce{ReduceKind::kMean, {1, 2}, false}, {kImage}), (Shape{1, 3}));
}

}  // namespace
}  // namespace sealite::graph

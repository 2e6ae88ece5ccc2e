// Every operator, written to a file and run by LiteRT, against the evaluator.
#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "float_checks.h"
#include "graph/builder.h"
#include "model_file/import_graph.h"
#include "model_file/reader.h"
#include "passes/pass.h"
#include "tflite/run_in_litert.h"
#include "tflite/writer.h"

namespace sealite::tflite {
namespace {

using namespace graph;

struct OpCase {
  std::string name;
  Op op;
  std::vector<Shape> inputs;
  std::vector<Shape> constants = {};
  float low = -2;
  float high = 2;
};

void PrintTo(const OpCase& c, std::ostream* out) {
  *out << c.name;
}

class OpsInLiteRt : public ::testing::TestWithParam<OpCase> {};

TEST_P(OpsInLiteRt, EqualTheEvaluator) {
  const OpCase& c = GetParam();
  Graph graph;
  Builder builder(graph);
  std::vector<ValueId> ids;
  std::vector<evaluate::Tensor> inputs;
  unsigned seed = 1;
  for (const Shape& shape : c.inputs) {
    ids.push_back(builder.input("input" + std::to_string(ids.size()), shape));
    inputs.push_back({shape, random_values(shape, seed++, c.low, c.high)});
  }
  for (const Shape& shape : c.constants)
    ids.push_back(
        builder.constant("constant" + std::to_string(ids.size()), shape, random_values(shape, seed++)));
  graph.outputs = {builder.add("output", c.op, ids)};
  const evaluate::Tensor expected = evaluate::evaluate(graph, inputs).at(0);
  passes::run_pipeline(graph, {});

  const ScratchFolder folder;
  WriteOptions options;
  options.signature = "run";
  write(graph, folder / "op.tflite", options);
  model_file::read_model(folder / "op.tflite");
  auto model = runtime::load_model(folder / "op.tflite", "run");
  const evaluate::Tensor found = runtime::run_in_litert(model, graph, inputs).at(0);
  EXPECT_EQ(found.shape, expected.shape);
  expect_near(found.values, expected.values, 1e-5, 1e-5);

  // What was written reads back as the same network.
  const Graph stored = model_file::import_graph(folder / "op.tflite", "run");
  verify(stored);
  expect_near(evaluate::evaluate(stored, inputs).at(0).values, expected.values, 1e-5, 1e-5);
}

const Shape kImage{2, 7, 6, 5};
const Shape kPlain{3, 5};

INSTANTIATE_TEST_SUITE_P(
    Linear, OpsInLiteRt,
    ::testing::Values(
        OpCase{"conv", Conv2D{}, {kImage}, {{4, 3, 3, 5}, {4}}},
        OpCase{"conv same", Conv2D{1, Padding::kSame}, {kImage}, {{4, 3, 3, 5}, {4}}},
        OpCase{"conv same even kernel", Conv2D{1, Padding::kSame}, {kImage}, {{4, 2, 4, 5}, {4}}},
        OpCase{"conv stride 2", Conv2D{2}, {kImage}, {{4, 2, 2, 5}, {4}}},
        OpCase{"conv stride 2 same", Conv2D{2, Padding::kSame}, {kImage}, {{4, 3, 3, 5}, {4}}},
        OpCase{"conv 4x4 stride 4", Conv2D{4}, {{1, 9, 8, 3}}, {{6, 4, 4, 3}, {6}}},
        OpCase{"conv 1x1 relu", Conv2D{1, Padding::kValid, Activation::kRelu}, {kImage}, {{4, 1, 1, 5}, {4}}},
        OpCase{"depthwise 7x7", DepthwiseConv2D{}, {{1, 9, 8, 5}}, {{1, 7, 7, 5}, {5}}},
        OpCase{"depthwise 3x3 valid", DepthwiseConv2D{1, 1, Padding::kValid}, {kImage}, {{1, 3, 3, 5}, {5}}},
        OpCase{"depthwise 3x7 dilated 2x1", DepthwiseConv2D{2, 1}, {{1, 9, 8, 5}}, {{1, 3, 7, 5}, {5}}},
        OpCase{"depthwise 4x2 dilated 2x6", DepthwiseConv2D{2, 6}, {{1, 9, 8, 5}}, {{1, 4, 2, 5}, {5}}},
        OpCase{"depthwise dilated valid",
               DepthwiseConv2D{2, 3, Padding::kValid},
               {{1, 9, 8, 5}},
               {{1, 3, 2, 5}, {5}}},
        OpCase{"fully connected", FullyConnected{}, {kPlain}, {{4, 5}, {4}}},
        OpCase{"fully connected relu", FullyConnected{Activation::kRelu}, {kPlain}, {{4, 5}, {4}}},
        OpCase{"fully connected rank 4", FullyConnected{}, {kImage}, {{4, 5}, {4}}},
        OpCase{"fully connected rank 3", FullyConnected{}, {{2, 3, 5}}, {{1, 5}, {1}}},
        OpCase{"batch matmul", BatchMatMul{}, {{2, 3, 4, 5}, {2, 3, 5, 6}}},
        OpCase{"batch matmul transposed", BatchMatMul{true}, {{2, 3, 4, 5}, {2, 3, 6, 5}}},
        OpCase{"batch matmul by a constant", BatchMatMul{}, {{2, 3, 4, 5}}, {{1, 3, 5, 6}}},
        OpCase{"batch matmul by one constant", BatchMatMul{true}, {{2, 3, 4, 5}}, {{1, 1, 6, 5}}},
        OpCase{"batch matmul rank 3", BatchMatMul{}, {{3, 4, 5}, {3, 5, 2}}}));

Op binary(BinaryKind kind, Activation activation = Activation::kNone) {
  return Binary{kind, activation};
}

INSTANTIATE_TEST_SUITE_P(
    Elementwise, OpsInLiteRt,
    ::testing::Values(
        OpCase{"add", binary(BinaryKind::kAdd), {kImage, kImage}},
        OpCase{"add relu", binary(BinaryKind::kAdd, Activation::kRelu), {kImage, kImage}},
        OpCase{"add scalar", binary(BinaryKind::kAdd), {kImage}, {{}}},
        OpCase{"add channels", binary(BinaryKind::kAdd), {kImage}, {{5}}},
        OpCase{"sub", binary(BinaryKind::kSub), {kImage, {2, 7, 6, 1}}},
        OpCase{"sub relu", binary(BinaryKind::kSub, Activation::kRelu), {kImage, kImage}},
        OpCase{"sub broadcast first", binary(BinaryKind::kSub), {{2, 1, 1, 5}, kImage}},
        OpCase{"mul", binary(BinaryKind::kMul), {kImage, {2, 1, 1, 5}}},
        OpCase{"mul relu", binary(BinaryKind::kMul, Activation::kRelu), {kPlain, kPlain}},
        OpCase{"mul by a row", binary(BinaryKind::kMul), {kImage}, {{1, 1, 6, 1}}},
        OpCase{"div", binary(BinaryKind::kDiv), {kImage, {2, 1, 1, 1}}, {}, 0.5F, 2},
        OpCase{"div relu", binary(BinaryKind::kDiv, Activation::kRelu), {kPlain, kPlain}, {}, 0.5F, 2},
        OpCase{"squared difference", binary(BinaryKind::kSquaredDifference), {kImage, {2, 7, 6, 1}}},
        OpCase{"sqrt", Unary{UnaryKind::kSqrt}, {kImage}, {}, 0.01F, 3},
        OpCase{"rsqrt", Unary{UnaryKind::kRsqrt}, {kImage}, {}, 0.01F, 3},
        OpCase{"gelu", Unary{UnaryKind::kGelu}, {kImage}, {}, -6, 6},
        OpCase{"tanh", Unary{UnaryKind::kTanh}, {kImage}, {}, -4, 4},
        OpCase{"logistic", Unary{UnaryKind::kLogistic}, {kImage}, {}, -8, 8},
        OpCase{"leaky relu", LeakyRelu{0.2F}, {kImage}}, OpCase{"softmax", Softmax{}, {kImage}, {}, -20, 20},
        OpCase{"softmax rank 2", Softmax{}, {kPlain}}, OpCase{"relu", Unary{UnaryKind::kRelu}, {kImage}}));

INSTANTIATE_TEST_SUITE_P(
    Layout, OpsInLiteRt,
    ::testing::Values(OpCase{"mean over pixels", Reduce{ReduceKind::kMean, {1, 2}, true}, {kImage}},
                      OpCase{"mean over pixels dropped", Reduce{ReduceKind::kMean, {1, 2}, false}, {kImage}},
                      OpCase{"mean over channels", Reduce{ReduceKind::kMean, {3}, true}, {kImage}},
                      OpCase{"mean over rows", Reduce{ReduceKind::kMean, {1}, true}, {kPlain}},
                      OpCase{"sum over pixels", Reduce{ReduceKind::kSum, {1, 2}, true}, {kImage}},
                      OpCase{"sum over channels dropped", Reduce{ReduceKind::kSum, {3}, false}, {kImage}},
                      OpCase{"reflection pad 1", ReflectionPad{1}, {kImage}},
                      OpCase{"reflection pad 2", ReflectionPad{2}, {kImage}},
                      OpCase{"concatenation channels", Concatenation{3}, {kImage, {2, 7, 6, 1}}},
                      OpCase{"concatenation rows", Concatenation{1}, {kImage, {2, 1, 6, 5}, kImage}},
                      OpCase{"slice", Slice{{0, 2, 1, 0}, {2, 1, 4, 5}}, {kImage}},
                      OpCase{"slice to the ends", Slice{{0, 2, 1, 0}, {-1, 1, -1, -1}}, {kImage}},
                      OpCase{"zero pad 1", ZeroPad{}, {kImage}},
                      OpCase{"zero pad 2", ZeroPad{2, 2, 2, 2}, {kImage}},
                      OpCase{"zero pad below and right", ZeroPad{0, 0, 3, 1}, {kImage}},
                      OpCase{"reshape", Reshape{{14, 30}}, {kImage}},
                      OpCase{"reshape to pixels", Reshape{{-1, 1, 1, 5}}, {kPlain}},
                      OpCase{"nchw to nhwc", Transpose{{0, 2, 3, 1}}, {kImage}},
                      OpCase{"nhwc to nchw", Transpose{{0, 3, 1, 2}}, {kImage}},
                      OpCase{"matrix transpose", Transpose{{1, 0}}, {kPlain}},
                      OpCase{"bilinear x2", ResizeBilinear{14, 12}, {kImage}},
                      OpCase{"bilinear x4", ResizeBilinear{28, 24}, {kImage}},
                      OpCase{"bilinear down", ResizeBilinear{3, 4}, {kImage}},
                      OpCase{"nearest x2", ResizeNearest{14, 12}, {kImage}},
                      OpCase{"nearest x3", ResizeNearest{21, 18}, {kImage}},
                      OpCase{"depth to space", DepthToSpace{2}, {{2, 3, 4, 12}}},
                      OpCase{"depth to space 3", DepthToSpace{3}, {{1, 2, 2, 9}}}));

// Their operators are what the passes make of them.
INSTANTIATE_TEST_SUITE_P(
    Composites, OpsInLiteRt,
    ::testing::Values(OpCase{"layer norm", LayerNorm{1e-3F}, {kImage}},
                      OpCase{"layer norm affine", LayerNorm{1e-3F}, {kImage}, {{5}, {5}}},
                      OpCase{"layer norm without mean", LayerNorm{1e-3F, false}, {kImage}},
                      OpCase{"layer norm rank 2", LayerNorm{1e-3F}, {kPlain}},
                      OpCase{"grn", GlobalResponseNorm{}, {kImage}, {{5}}},
                      OpCase{"rms norm", RmsNorm{}, {kImage}, {{5}}},
                      OpCase{"group norm", GroupNorm{2}, {{2, 5, 4, 6}}, {{6}, {6}}},
                      OpCase{"batch norm", BatchNorm{10.0F}, {kImage}, {{5}, {5}, {5}, {5}}},
                      OpCase{"grn with beta", GlobalResponseNorm{}, {kImage}, {{5}, {5}}}));

}  // namespace
}  // namespace sealite::tflite

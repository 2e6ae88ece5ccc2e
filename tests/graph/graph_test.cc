#include "graph/graph.h"

#include <gtest/gtest.h>

#include "evaluate/one_node.h"
#include "expect_error.h"

namespace sealite::graph {
namespace {

// input -> SUB constant -> RELU -> output
struct Chain {
  Graph graph;
  ValueId x, one, difference, y;

  Chain() {
    Builder builder(graph);
    x = builder.input("x", {1, 4});
    one = builder.constant("one", {}, {1});
    difference = builder.binary("difference", BinaryKind::kSub, x, one);
    y = builder.unary("y", UnaryKind::kRelu, difference);
    graph.outputs = {y};
  }
};

void expect_unsound(const Graph& graph, std::initializer_list<std::string_view> parts) {
  expect_error(ErrorCode::kInternal, parts, [&] { verify(graph); });
}

TEST(Graph, AMarkStaysWhatItIs) {
  Chain chain;
  EXPECT_EQ(chain.graph.value(chain.y).mark, Mark::kNone);
  Builder builder(chain.graph);
  EXPECT_EQ(builder.marked(chain.y, Mark::kHead), chain.y);
  builder.marked(chain.y, Mark::kHead);
  builder.marked(chain.y, Mark::kNone);
  EXPECT_EQ(builder.mark(chain.y), Mark::kHead);
  EXPECT_NE(dump(chain.graph).find("# y [head]\n"), std::string::npos) << dump(chain.graph);
  expect_error(ErrorCode::kInternal, {"'y'", "head", "stem"}, [&] { builder.marked(chain.y, Mark::kStem); });
}

TEST(Graph, ProducersAndUses) {
  const Chain chain;
  verify(chain.graph);
  EXPECT_EQ(chain.graph.producer(chain.x), nullptr);
  EXPECT_EQ(chain.graph.producer(chain.one), nullptr);
  ASSERT_NE(chain.graph.producer(chain.y), nullptr);
  EXPECT_EQ(chain.graph.producer(chain.y)->name, "y");
  EXPECT_EQ(chain.graph.use_count(chain.difference), 1U);
  EXPECT_EQ(chain.graph.use_count(chain.y), 1U);  // as an output
  Chain twice;
  Builder(twice.graph).binary("square", BinaryKind::kMul, twice.difference, twice.difference);
  EXPECT_EQ(twice.graph.use_count(twice.difference), 3U);
}

TEST(Verify, ReadBeforeMade) {
  Chain chain;
  std::swap(chain.graph.nodes[0], chain.graph.nodes[1]);
  expect_unsound(chain.graph, {"'y' reads 'difference' before it is made"});
}

TEST(Verify, ValueThatNobodyMakes) {
  Chain chain;
  Value loose;
  loose.name = "loose";
  loose.shape = {1, 4};
  chain.graph.nodes[1].inputs = {chain.graph.add_value(loose)};
  expect_unsound(chain.graph, {"'y' reads 'loose'"});
  Chain output;
  output.graph.outputs.push_back(output.graph.add_value(loose));
  expect_unsound(output.graph, {"output 'loose' is never made"});
}

TEST(Verify, MadeTwice) {
  Chain chain;
  chain.graph.nodes.push_back(chain.graph.nodes.back());
  expect_unsound(chain.graph, {"'y' makes its output again"});
  Chain input;
  input.graph.nodes[0].output = input.x;
  expect_unsound(input.graph, {"'difference' makes its output again"});
}

TEST(Verify, WrongShape) {
  Chain chain;
  Value narrow;
  narrow.name = "narrow";
  narrow.shape = {1, 3};
  chain.graph.nodes[1].output = chain.graph.add_value(narrow);
  expect_unsound(chain.graph, {"'y'", "inferred [1, 4]", "recorded [1, 3]"});
}

TEST(Verify, WrongType) {
  Chain chain;
  Value integers;
  integers.name = "integers";
  integers.type = DType::kInt8;
  integers.shape = {1, 4};
  chain.graph.nodes[1].output = chain.graph.add_value(integers);
  expect_unsound(chain.graph, {"'y'", "int8"});
}

TEST(Verify, WrongInputs) {
  Chain chain;
  chain.graph.nodes[0].inputs.pop_back();
  expect_unsound(chain.graph, {"difference", "missing"});
}

TEST(Verify, RankAboveFour) {
  Chain chain;
  Value deep;
  deep.name = "deep";
  deep.shape = {1, 1, 1, 1, 1};
  chain.graph.add_value(deep);
  expect_unsound(chain.graph, {"'deep' has rank 5 > 4"});
}

TEST(Verify, ConstantUnlikeItsSource) {
  Chain chain;
  Value constant;
  constant.name = "constant";
  constant.shape = {2};
  constant.source = filled({3}, 0);
  chain.graph.add_value(constant);
  expect_unsound(chain.graph, {"'constant'", "[2]", "[3]"});
  Chain other;
  constant.shape = {3};
  constant.type = DType::kInt8;
  other.graph.add_value(constant);
  expect_unsound(other.graph, {"int8", "float32"});
}

TEST(Dump, SaysWhatEachNodeDoes) {
  EXPECT_EQ(dump(Chain().graph),
            "input  %0 : float32 [1, 4]  # x\n"
            "%2 = SUB (%0, one[]) : float32 [1, 4]  # difference\n"
            "%3 = RELU (%2) : float32 [1, 4]  # y\n"
            "output %3  # y\n");
}

TEST(Dump, ShowsSettings) {
  Graph graph;
  Builder builder(graph);
  const ValueId x = builder.input("x", {1, 4, 4, 4});
  const ValueId filter = builder.constant("filter", filled({8, 2, 2, 4}, 1));
  const ValueId bias = builder.constant("bias", filled({8}, 0));
  const ValueId y = builder.add("conv", Conv2D{2, Padding::kSame, Activation::kRelu}, {x, filter, bias});
  builder.mean("mean", y, {1, 2}, false);
  builder.add("pad", ReflectionPad{1}, {x});
  builder.add("norm", LayerNorm{1e-6F, false}, {x});
  builder.add("slice", Slice{{0, 0, 0, 0}, {1, 1, 1, 4}}, {x});
  builder.add("dw", DepthwiseConv2D{4, 1, Padding::kSame},
              {x, builder.constant("taps", filled({1, 2, 7, 4}, 0)), builder.constant("b", filled({4}, 0))});
  builder.add("nchw", Transpose{{0, 3, 1, 2}}, {x});
  builder.add("shuffle", DepthToSpace{2}, {x});
  builder.add("join", Concatenation{3}, {x, x});
  const std::string text = dump(graph);
  for (const std::string_view part :
       {"CONV_2D stride 2 same relu (%0, filter[8, 2, 2, 4], bias[8]) : float32 [1, 2, 2, 8]",
        "MEAN axes [1, 2] (", "MIRROR_PAD reflect 1", "LAYER_NORM epsilon 1e-06 no-mean",
        "SLICE begin [0, 0, 0, 0] size [1, 1, 1, 4]", "DEPTHWISE_CONV_2D dilation 4x1 same",
        "TRANSPOSE [0, 3, 1, 2]", "DEPTH_TO_SPACE block 2", "CONCATENATION axis 3 (%0, %0)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
}

TEST(MultiplyAccumulates, OfConvolutionsAndProducts) {
  Graph graph;
  Builder builder(graph);
  ValueId x = builder.input("x", {1, 8, 8, 3});
  x = builder.add(
      "conv", Conv2D{4},
      {x, builder.constant("f", filled({10, 4, 4, 3}, 1)), builder.constant("b", filled({10}, 0))});
  EXPECT_EQ(multiply_accumulates(graph), 2U * 2 * 10 * 4 * 4 * 3);
  x = builder.add(
      "dw", DepthwiseConv2D{},
      {x, builder.constant("f", filled({1, 7, 7, 10}, 1)), builder.constant("b", filled({10}, 0))});
  EXPECT_EQ(multiply_accumulates(graph), 1920U + 2 * 2 * 10 * 49);
  x = builder.unary("act", UnaryKind::kGelu, x);
  x = builder.mean("mean", x, {1, 2}, false);
  builder.add("fc", FullyConnected{},
              {x, builder.constant("f", filled({5, 10}, 1)), builder.constant("b", filled({5}, 0))});
  EXPECT_EQ(multiply_accumulates(graph), 1920U + 1960 + 50);
}

TEST(Evaluate, ObservesEveryNode) {
  const Chain chain;
  std::vector<std::string> seen;
  const auto outputs = evaluate::evaluate(chain.graph, {evaluate::tensor({1, 4}, {0, 1, 2, 3})},
                                          [&](const Node& node, const evaluate::Tensor& value) {
                                            seen.push_back(node.name + to_string(value.shape));
                                          });
  EXPECT_EQ(seen, (std::vector<std::string>{"difference[1, 4]", "y[1, 4]"}));
  EXPECT_EQ(outputs.at(0).values, (std::vector<float>{0, 0, 1, 2}));
}

TEST(Evaluate, TakesAnotherBatchSize) {
  const auto outputs =
      evaluate::evaluate(Chain().graph, {evaluate::tensor({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7})});
  EXPECT_EQ(outputs.at(0).shape, (Shape{2, 4}));
  EXPECT_EQ(outputs.at(0).values, (std::vector<float>{0, 0, 1, 2, 3, 4, 5, 6}));
}

TEST(Evaluate, InputsThatAreOutputsToo) {
  Chain chain;
  chain.graph.outputs = {chain.x, chain.difference, chain.y, chain.y, chain.one};
  const auto outputs = evaluate::evaluate(chain.graph, {evaluate::tensor({1, 4}, {0, 1, 2, 3})});
  EXPECT_EQ(outputs.at(0).values, (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(outputs.at(1).values, (std::vector<float>{-1, 0, 1, 2}));
  EXPECT_EQ(outputs.at(3).values, outputs.at(2).values);
  EXPECT_EQ(outputs.at(4).values, std::vector<float>{1});
}

TEST(Evaluate, RefusesOtherInputs) {
  const Chain chain;
  expect_error(ErrorCode::kInternal, {"1 inputs, got 0"}, [&] { evaluate::evaluate(chain.graph, {}); });
  expect_error(ErrorCode::kInternal, {"'x' wants [1, 4]", "3 values"},
               [&] { evaluate::evaluate(chain.graph, {evaluate::Tensor{{1, 4}, {1, 2, 3}}}); });
  expect_error(ErrorCode::kInternal, {"'x' wants [1, 4]", "[4]"},
               [&] { evaluate::evaluate(chain.graph, {evaluate::Tensor{{4}, {1, 2, 3, 4}}}); });
}

}  // namespace
}  // namespace sealite::graph

#include <gtest/gtest.h>

#include <set>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "passes/pass.h"
#include "passes/sketch.h"

namespace sealite::passes {
namespace {

// A ConvNeXtV2 in small: what the pipeline was made for.
Graph small_network() {
  Sketch sketch({1, 17, 17, 3});
  ValueId x = sketch.binary(BinaryKind::kMul, sketch.x, sketch.scalar(2));
  x = sketch.binary(BinaryKind::kSub, x, sketch.scalar(1));
  x = sketch.norm(sketch.conv(x, 6, 4, {2}));
  for (int i = 0; i < 2; ++i) {
    ValueId y = sketch.linear(sketch.norm(sketch.depthwise(x, 7)), 24);
    y = sketch.grn(sketch.add("act", Unary{UnaryKind::kGelu}, {y}));
    x = sketch.add("residual", Binary{}, {x, sketch.linear(y, 6)});
  }
  x = sketch.conv(sketch.norm(x), 8, 2, {2});
  x = sketch.norm(sketch.conv(sketch.add("pad", ReflectionPad{1}, {x}), 8, 3));
  x = sketch.add("act", Unary{UnaryKind::kGelu}, {x});
  x = sketch.add("mean", Reduce{ReduceKind::kMean, {1, 2}, false}, {x});
  return sketch.finish({sketch.linear(x, 5)});
}

TEST(Pipeline, KeepsTheNumbersAfterEachPass) {
  const Graph before = small_network();
  Graph after = before;
  PipelineOptions options;
  std::size_t seen = 0;
  options.after_pass = [&](const Pass& pass, const Graph& state) {
    EXPECT_EQ(pass.name, pipeline()[seen++].name);
    SCOPED_TRACE(pass.name);
    expect_same(before, state);
  };
  run_pipeline(after, options);
  options.phase = Phase::kAfterQuantization;
  run_pipeline(after, options);
  EXPECT_EQ(seen, pipeline().size());
  const auto counts = op_counts(after);
  for (const char* composite : {"LAYER_NORM", "GRN", "MIRROR_PAD"}) EXPECT_EQ(counts.count(composite), 0U);
  EXPECT_EQ(counts.at("DEPTHWISE_CONV_2D"), 2 * 7);
  EXPECT_EQ(counts.at("CONV_2D"), 2);
  EXPECT_EQ(counts.at("FULLY_CONNECTED"), 4 + 9 + 1 + 2);  // a 3x3 convolution is nine, a GRN's mean one
}

TEST(Pipeline, EachPassHasItsOwnNameAndReason) {
  std::set<std::string_view> names;
  for (const Pass& pass : pipeline()) {
    EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
    EXPECT_FALSE(pass.summary.empty()) << pass.name;
    EXPECT_EQ(&find_pass(pass.name), &pass);
  }
}

TEST(Pipeline, TheDocumentHasEachPass) {
  const std::string text = read_text(SEALITE_SOURCE_DIR "/docs/pipeline.md");
  for (const Pass& pass : pipeline()) EXPECT_NE(text.find(pass.name), std::string::npos) << pass.name;
}

TEST(Pipeline, StopsAfterAnyPass) {
  for (const Pass& last : pipeline()) {
    Graph graph = small_network();
    PipelineOptions options;
    options.stop_after = last.name;
    std::string_view seen;
    options.after_pass = [&](const Pass& pass, const Graph&) { seen = pass.name; };
    for (const Phase phase : {Phase::kBeforeQuantization, Phase::kAfterQuantization}) {
      options.phase = phase;
      run_pipeline(graph, options);
    }
    EXPECT_EQ(seen, last.name);
    expect_same(small_network(), graph);
  }
}

TEST(Pipeline, UnknownPassListsThoseThereAre) {
  Graph graph = small_network();
  const std::string before = dump(graph);
  PipelineOptions options;
  options.stop_after = "fold-everything";
  expect_error(ErrorCode::kUsage, {"'fold-everything'", "fold-scalar-affine", "split-depthwise"},
               [&] { run_pipeline(graph, options); });
  EXPECT_EQ(dump(graph), before);
  expect_error(ErrorCode::kUsage, {"''"}, [] { find_pass(""); });
}

TEST(Pipeline, DynamicShapesSkipWhatBakesThemIn) {
  const Graph before = small_network();
  Graph after = before;
  PipelineOptions options;
  options.dynamic_shapes = true;
  std::string last = dump(before);
  options.after_pass = [&](const Pass& pass, const Graph& state) {
    if (pass.when == When::kStaticShapes) {
      EXPECT_EQ(dump(state), last) << pass.name;
    }
    last = dump(state);
  };
  run_pipeline(after, options);
  options.phase = Phase::kAfterQuantization;
  run_pipeline(after, options);
  expect_same(before, after);
  // The result still runs at another size and batch.
  const Shape larger{2, 25, 21, 3};
  const evaluate::Tensor input{larger, random_values(larger, 5)};
  expect_near(evaluate::evaluate(after, {input}).at(0).values,
              evaluate::evaluate(before, {input}).at(0).values, 2e-5, 2e-5);
}

TEST(DeadNodes, AreRemoved) {
  Sketch sketch;
  const ValueId used = sketch.linear(sketch.x, 3);
  sketch.norm(used);
  sketch.grn(sketch.linear(sketch.x, 3));
  Graph graph = sketch.finish({used});
  ASSERT_EQ(graph.nodes.size(), 4U);
  remove_dead_nodes(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].output, used);
}

std::optional<ValueId> flatten(const Graph& graph, const Node& node, Builder& patch) {
  if (!std::holds_alternative<FullyConnected>(node.op)) return std::nullopt;
  const auto count = static_cast<std::int64_t>(element_count(graph.shape(node.output)).value());
  return patch.add("flat", Reshape{{count}}, {node.inputs[0]});
}

TEST(ApplyRule, RefusesAnotherShape) {
  Sketch sketch;
  Graph graph = sketch.finish({sketch.linear(sketch.x, 4)});
  expect_error(ErrorCode::kInternal, {"'fc'", "[1, 6, 6, 4]", "[144]"}, [&] { apply_rule(graph, flatten); });
}

std::optional<ValueId> widen(const Graph& graph, const Node& node, Builder&) {
  if (!std::holds_alternative<FullyConnected>(node.op)) return std::nullopt;
  Value integers;
  integers.name = "integers";
  integers.type = DType::kInt8;
  integers.shape = graph.shape(node.output);
  return const_cast<Graph&>(graph).add_value(integers);
}

TEST(ApplyRule, RefusesAnotherType) {
  Sketch sketch;
  Graph graph = sketch.finish({sketch.linear(sketch.x, 4)});
  expect_error(ErrorCode::kInternal, {"'fc'"}, [&] { apply_rule(graph, widen); });
}

std::optional<ValueId> skip_relu(const Graph&, const Node& node, Builder&) {
  const auto* unary = std::get_if<Unary>(&node.op);
  if (unary == nullptr || unary->kind != UnaryKind::kRelu) return std::nullopt;
  return node.inputs[0];
}

// A replacement that the patch did not make would leave the old output without a maker.
TEST(ApplyRule, RefusesAValueThatIsThereAlready) {
  Sketch sketch;
  const ValueId y = sketch.linear(sketch.x, 4);
  Graph graph = sketch.finish({sketch.add("relu", Unary{UnaryKind::kRelu}, {y})});
  expect_error(ErrorCode::kInternal, {"'relu'"}, [&] { apply_rule(graph, skip_relu); });
}

std::optional<ValueId> unroll(const Graph&, const Node& node, Builder& patch) {
  const auto* unary = std::get_if<Unary>(&node.op);
  if (unary == nullptr || unary->kind != UnaryKind::kLogistic) return std::nullopt;
  // 1 / (1 + e^-x) = (1 + tanh(x / 2)) / 2
  const ValueId half = patch.constant("half", {}, {0.5F});
  ValueId y =
      patch.unary("tanh", UnaryKind::kTanh, patch.binary("halved", BinaryKind::kMul, node.inputs[0], half));
  y = patch.binary("shifted", BinaryKind::kAdd, y, patch.constant("one", {}, {1}));
  return patch.binary("scaled", BinaryKind::kMul, y, half);
}

TEST(ApplyRule, RewritesEveryPlaceAndKeepsReaders) {
  Sketch sketch;
  ValueId y = sketch.x;
  for (int i = 0; i < 3; ++i) y = sketch.add("logistic", Unary{UnaryKind::kLogistic}, {y});
  const ValueId sum = sketch.binary(BinaryKind::kAdd, y, y);
  const Graph after = rewritten(sketch.finish({sum, y}), unroll);
  EXPECT_EQ(op_counts(after), (std::map<std::string, int>{{"MUL", 6}, {"TANH", 3}, {"ADD", 4}}));
}

}  // namespace
}  // namespace sealite::passes

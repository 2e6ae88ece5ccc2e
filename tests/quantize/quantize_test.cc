#include "quantize/quantize.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "passes/sketch.h"
#include "quantize/calibrate.h"
#include "quantize/layer_report.h"
#include "tflite/run_in_litert.h"
#include "tflite/writer.h"

namespace sealite::quantize {
namespace {

using namespace graph;
using passes::op_counts;
using passes::Sketch;

// A ConvNeXt block with a stem, a downsampling convolution and a head, lowered: every kind of layer there is.
Graph small_network() {
  Sketch sketch({1, 20, 20, 3});
  ValueId x = sketch.marked(sketch.conv(sketch.x, 32, 4, {.stride = 2}), Mark::kStem);
  ValueId y = sketch.depthwise(x, 7);
  y = sketch.linear(sketch.norm(y), 128);
  y = sketch.add("act", Unary{UnaryKind::kGelu}, {y});
  y = sketch.linear(sketch.grn(y), 32);
  x = sketch.binary(BinaryKind::kAdd, x, y);
  x = sketch.conv(sketch.norm(x), 48, 2, {.stride = 2});
  x = sketch.add("pool", Reduce{ReduceKind::kMean, {1, 2}, false}, {x});
  Graph graph = sketch.finish({sketch.marked(sketch.linear(x, 33), Mark::kHead)});
  passes::run_pipeline(graph, {});
  return graph;
}

evaluate::Tensor pictures(const Graph& graph, std::int64_t count, unsigned seed) {
  Shape shape = graph.shape(graph.inputs[0]);
  shape[0] = count;
  return {shape, random_values(shape, seed, 0, 1)};
}

Graph quantized(const Graph& original, std::string_view recipe, std::vector<KeepRule> keep = {}) {
  Graph graph = original;
  QuantizeOptions options;
  options.recipe = &find_recipe(recipe);
  options.keep = std::move(keep);
  quantize(graph, options);
  EXPECT_NO_THROW(verify(graph));
  return graph;
}

double logits_error(const Graph& original, const Graph& other, const evaluate::Tensor& images) {
  return relative_error(evaluate::evaluate(other, {images})[0].values,
                        evaluate::evaluate(original, {images})[0].values);
}

std::map<DType, int> filter_types(const Graph& graph) {
  std::map<DType, int> types;
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<Conv2D>(node.op) || std::holds_alternative<FullyConnected>(node.op)) {
      const Value& filter = graph.value(node.inputs[1]);
      ++types[filter.source ? filter.type : DType::kFloat16];
    }
  }
  return types;
}

TEST(Recipe, NamesAndKeepRules) {
  EXPECT_EQ(find_recipe("int8").file_suffix, "_int8");
  expect_error(ErrorCode::kUsage, {"'int3'", "float32, fp16, int8, int4"}, [] { find_recipe("int3"); });
  EXPECT_EQ(parse_keep_rule("a=b$=fp16").format, WeightFormat::kFloat16);
  expect_error(ErrorCode::kUsage, {"REGEX="}, [] { parse_keep_rule("linear"); });
  expect_error(ErrorCode::kUsage, {"'int2'"}, [] { parse_keep_rule("linear=int2"); });
  expect_error(ErrorCode::kUsage, {"regular expression"}, [] { parse_keep_rule("(=int8"); });
}

TEST(Recipe, EachLayerGetsWhatTheRuntimeRunsWell) {
  const Graph network = small_network();
  // Convolution behind the norm, both linear layers and the head; the stem and GRN's mean (one row) stay
  // float.
  EXPECT_EQ(filter_types(quantized(network, "int8")),
            (std::map<DType, int>{{DType::kFloat32, 2}, {DType::kInt8, 4}}));
  EXPECT_EQ(filter_types(quantized(network, "int4")),
            (std::map<DType, int>{{DType::kFloat32, 2}, {DType::kInt8, 2}, {DType::kInt4, 2}}));
  EXPECT_EQ(op_counts(quantized(network, "fp16"))["DEQUANTIZE"], 5);  // the stem too; depthwise is too small
  const Graph kept =
      quantized(network, "int8", {parse_keep_rule("^conv$=float32"), parse_keep_rule("fc=fp16")});
  EXPECT_EQ(filter_types(kept)[DType::kInt8], 0);
  EXPECT_EQ(filter_types(kept)[DType::kFloat16], 3);
  const Graph all =
      quantized(network, "int8", {parse_keep_rule("conv=int8")});  // the stem too, when asked for
  EXPECT_EQ(filter_types(all)[DType::kInt8], 5);
}

// Three channels, or a matrix as the output, make no stem and no head: who builds the network says what they
// are.
TEST(Recipe, StemAndHeadAreWhatIsMarked) {
  for (const auto& [mark, type] : {std::pair{Mark::kNone, DType::kInt4}, {Mark::kHead, DType::kInt8}}) {
    Sketch sketch({1, 64});
    const ValueId hidden = sketch.linear(sketch.x, 64);
    const Graph network = sketch.finish({sketch.marked(sketch.linear(hidden, 32), mark)});
    const Graph small = quantized(network, "int4");
    EXPECT_EQ(small.value(small.nodes.back().inputs[1]).type, type);
  }
  for (const auto& [mark, type] : {std::pair{Mark::kNone, DType::kInt8}, {Mark::kStem, DType::kFloat32}}) {
    Sketch sketch({1, 12, 12, 3});
    const Graph network = sketch.finish({sketch.marked(sketch.conv(sketch.x, 64, 3), mark)});
    EXPECT_EQ(filter_types(quantized(network, "int8")), (std::map<DType, int>{{type, 1}}));
  }
}

// In a network of convolutions, 4 bits for the few products would save nothing and cost much.
TEST(Recipe, FourBitsAreForNetworksOfProducts) {
  Sketch sketch({1, 12, 12, 32});
  const ValueId wide = sketch.conv(sketch.x, 64, 3);
  Graph network = sketch.finish({sketch.linear(wide, 32)});
  EXPECT_EQ(filter_types(quantized(network, "int4")), (std::map<DType, int>{{DType::kInt8, 2}}));
}

// An eighth above what was measured.
TEST(Quantize, ErrorBoundOfEachRecipe) {
  const Graph network = small_network();
  const evaluate::Tensor images = pictures(network, 3, 5);
  EXPECT_EQ(logits_error(network, quantized(network, "float32"), images), 0);
  EXPECT_LT(logits_error(network, quantized(network, "fp16"), images), 3.75e-4);
  EXPECT_LT(logits_error(network, quantized(network, "int8"), images), 7.9e-3);
  EXPECT_LT(logits_error(network, quantized(network, "int4"), images), 7.7e-2);
}

TEST(Quantize, LiteRtRunsEachRecipeDelegatedAndNearTheEvaluator) {
  const ScratchFolder scratch;
  const Graph network = small_network();
  const evaluate::Tensor images = pictures(network, 1, 6);
  for (const char* recipe : {"float32", "fp16", "int8", "int4"}) {
    const Graph graph = quantized(network, recipe);
    const auto path = scratch.path() / recipe;
    tflite::WriteOptions options;
    options.signature = "detect";
    tflite::write(graph, path, options);
    runtime::CompiledModel model = runtime::load_model(path, "detect");
    EXPECT_TRUE(model.fully_delegated()) << recipe;
    const auto found = runtime::run_in_litert(model, graph, {images})[0];
    // The runtime also rounds activations to 8 bits where weights are integers.
    const bool integers = recipe[0] == 'i';
    EXPECT_LT(relative_error(found.values, evaluate::evaluate(graph, {images})[0].values),
              integers ? 1e-2 : 1e-5)
        << recipe;
  }
}

TEST(Calibrate, TakesTheMeanErrorOut) {
  const Graph network = small_network();
  const evaluate::Tensor unseen = pictures(network, 4, 8);
  const Graph plain = quantized(network, "int4");
  Graph corrected = plain;
  calibrate(network, corrected, {pictures(network, 8, 7)}, false);
  verify(corrected);
  EXPECT_LT(logits_error(network, corrected, unseen), 0.45 * logits_error(network, plain, unseen));
}

// Inputs that vary along few directions, as activations do: rounding errors can hide in the others.
TEST(Gptq, LowersTheOutputErrorWhereInputsAreCorrelated) {
  constexpr std::int64_t kInputs = 48;
  constexpr std::int64_t kRows = 200;
  const std::vector<float> directions = random_values({6, kInputs}, 31);
  const std::vector<float> amounts = random_values({kRows, 6}, 32);
  evaluate::Tensor input{{1, 1, kRows, kInputs}, {}};
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t i = 0; i < kInputs; ++i) {
      float value = 0;
      for (std::size_t k = 0; k < 6; ++k) value += amounts[row * 6 + k] * directions[k * kInputs + i];
      input.values.push_back(value);
    }
  }
  Sketch sketch({1, 1, kRows, kInputs});
  Graph network = sketch.finish({sketch.linear(sketch.x, 32)});
  QuantizeOptions options;
  options.recipe = &find_recipe("int4");
  options.correct_bias = false;
  Graph nearest = network;
  quantize(nearest, options);
  Graph compensated = nearest;
  calibrate(network, compensated, {input}, true);
  calibrate(network, nearest, {input}, false);
  EXPECT_LT(logits_error(network, compensated, input), 0.3 * logits_error(network, nearest, input));
}

TEST(LayerReport, NamesTheLayerThatCollapses) {
  const Graph network = small_network();
  Graph broken = quantized(network, "int8");
  for (Node& node : broken.nodes) {
    if (!is_quantized(broken, node) || !std::holds_alternative<Conv2D>(node.op)) continue;
    Value value = broken.value(node.inputs[1]);
    auto scales = value.quantization->scales;
    for (float& scale : scales) scale *= 3;
    value.quantization = std::make_shared<Quantization>(Quantization{scales});
    node.inputs[1] = broken.add_value(value);
  }
  const auto by_weight = report_layers(network, broken, {});
  EXPECT_EQ(by_weight.front().name, "conv");
  EXPECT_NEAR(by_weight.front().weight_error, 2, 0.1);
  EXPECT_FALSE(by_weight.front().logits_effect.has_value());
  const auto by_effect = report_layers(network, broken, {pictures(network, 2, 9)});
  ASSERT_EQ(by_effect.size(), 4U);
  EXPECT_EQ(by_effect.front().name, "conv");
  EXPECT_GT(by_effect.front().logits_effect.value(), 10 * by_effect[1].logits_effect.value());
}

}  // namespace
}  // namespace sealite::quantize

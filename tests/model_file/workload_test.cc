#include "model_file/workload.h"

#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "passes/pass.h"
#include "quantize/quantize.h"
#include "tflite/small_model.h"

namespace sealite::model_file {

using namespace tflite;
namespace {

using namespace graph;

std::uint64_t total(const Workload& work, bool integers) {
  std::uint64_t sum = 0;
  for (const OperatorWork& op : work.operators) {
    if (op.integer_weights == integers) sum += op.multiply_accumulates;
    EXPECT_FALSE(op.uncounted) << op.name;
  }
  return sum;
}

std::filesystem::path foreign(const std::string& name) {
  return std::filesystem::path(SEALITE_SOURCE_DIR "/tests/runtime/data") / name;
}

// Every kind of product, told apart by its numbers.
Graph products() {
  Graph graph;
  Builder builder(graph);
  const auto weight = [&](const char* name, const Shape& shape) {
    return builder.constant(name, shape, random_values(shape, 1));
  };
  ValueId x = builder.input("image", {1, 8, 8, 16});
  x = builder.add("conv", Conv2D{2}, {x, weight("w1", {32, 2, 2, 16}), weight("b1", {32})});
  x = builder.add("depthwise", DepthwiseConv2D{}, {x, weight("w2", {1, 3, 3, 32}), weight("b2", {32})});
  x = builder.add("dense", FullyConnected{}, {x, weight("w3", {64, 32}), weight("b3", {64})});
  const ValueId rows = builder.add("rows", Reshape{{1, 16, 64}}, {x});
  x = builder.add("scores", BatchMatMul{true}, {rows, rows});
  x = builder.add("mixed", BatchMatMul{}, {x, rows});
  graph.outputs = {x};
  return graph;
}

TEST(Workload, CountsWhatTheGraphCounts) {
  const ScratchFolder folder;
  Graph graph = products();
  const std::uint64_t expected = 4 * 4 * 32 * 2 * 2 * 16 + 4 * 4 * 32 * 9 + 16 * 64 * 32 + 16 * 16 * 64 * 2;
  ASSERT_EQ(multiply_accumulates(graph), expected);
  write(graph, folder / "float.tflite", small_options());
  const Workload work = read_workload(folder / "float.tflite", "detect");
  EXPECT_EQ(total(work, false), expected);
  EXPECT_EQ(total(work, true), 0U);
  ASSERT_EQ(work.inputs.size(), 1U);
  EXPECT_EQ(work.inputs[0].name, "image");
  EXPECT_EQ(work.inputs[0].shape, (Shape{1, 8, 8, 16}));
  ASSERT_EQ(work.operators.size(), 6U);
  EXPECT_EQ(work.operators[0].kind, "CONV_2D");
  EXPECT_EQ(work.operators[0].name, "conv");
  EXPECT_TRUE(work.operators[0].is_product);
  EXPECT_FALSE(work.operators[3].is_product) << "RESHAPE";

  quantize::QuantizeOptions settings;
  settings.recipe = &quantize::find_recipe("int8");
  quantize::quantize(graph, settings);
  write(graph, folder / "int8.tflite", small_options());
  const Workload smaller = read_workload(folder / "int8.tflite", "detect");
  EXPECT_EQ(total(smaller, true) + total(smaller, false), expected);
  EXPECT_EQ(total(smaller, true), 16U * 64 * 32 + 4U * 4 * 32 * 2 * 2 * 16) << "dense layers only";
}

TEST(Workload, FreeSizesAreThoseOfTheFile) {
  const Workload work = read_workload(foreign("dynamic.tflite"), "serve");
  ASSERT_EQ(work.inputs.size(), 1U);
  EXPECT_EQ(work.inputs[0].shape, (Shape{1, 2, 3}));
  EXPECT_EQ(total(work, false), 2U * 2 * 3);
}

TEST(Workload, AnyFileAndSignature) {
  EXPECT_EQ(read_workload(foreign("two_signatures.tflite"), "shift").inputs.size(), 2U);
  EXPECT_EQ(read_workload(foreign("two_signatures.tflite"), "").inputs.size(), 1U) << "the first subgraph";
  const Workload pad = read_workload(foreign("mirror_pad.tflite"), "serve");
  ASSERT_EQ(pad.operators.size(), 1U);
  EXPECT_EQ(pad.operators[0].kind, "MIRROR_PAD");
  EXPECT_EQ(total(pad, false), 0U);
  EXPECT_EQ(read_workload(foreign("int32.tflite"), "serve").inputs[0].type, DType::kInt32);
}

TEST(Workload, Errors) {
  expect_error(ErrorCode::kUsage, {"'detect'"}, [] { read_workload(foreign("int32.tflite"), "detect"); });
  expect_error(ErrorCode::kNotFound, {"absent"}, [] { read_workload(foreign("absent.tflite"), ""); });
  expect_error(ErrorCode::kMalformed, {"make_models.py"},
               [] { read_workload(foreign("make_models.py"), ""); });
}

}  // namespace
}  // namespace sealite::model_file

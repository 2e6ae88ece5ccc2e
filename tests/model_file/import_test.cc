#include <gtest/gtest.h>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "model_file/import_graph.h"
#include "passes/pass.h"
#include "quantize/quantize.h"
#include "tflite/small_model.h"

namespace sealite::model_file {

using namespace tflite;
namespace {

using namespace graph;

class Import : public ::testing::TestWithParam<std::string> {
 protected:
  const ScratchFolder folder;
};

// Every kind of stored weight gives the numbers that the quantised graph gives.
TEST_P(Import, GivesTheNumbersOfTheGraph) {
  Graph graph = small_graph();
  passes::run_pipeline(graph, {});
  quantize::QuantizeOptions settings;
  settings.recipe = &quantize::find_recipe(GetParam());
  quantize::quantize(graph, settings);
  for (const auto placement : {WeightPlacement::kInside, WeightPlacement::kOutside}) {
    write(graph, folder / "model.tflite", small_options(placement));
    const Graph stored = import_graph(folder / "model.tflite", "detect");
    verify(stored);
    ASSERT_EQ(stored.nodes.size(), graph.nodes.size());
    for (std::size_t i = 0; i < stored.nodes.size(); ++i)
      EXPECT_EQ(stored.nodes[i].name, graph.nodes[i].name);
    EXPECT_EQ(evaluate::evaluate(stored, {small_input()})[0].values,
              evaluate::evaluate(graph, {small_input()})[0].values);
  }
}

INSTANTIATE_TEST_SUITE_P(Recipes, Import, ::testing::Values("float32", "fp16", "int8"),
                         [](const auto& each) { return each.param; });

TEST(ImportRefusals, NoSuchSignature) {
  const ScratchFolder folder;
  write(small_graph(), folder / "model.tflite", small_options());
  expect_error(ErrorCode::kUnsupported, {"signature", "embed"},
               [&] { import_graph(folder / "model.tflite", "embed"); });
}

// Another converter's operators and options are named, not guessed.
TEST(ImportRefusals, OperatorsOfOthers) {
  const std::filesystem::path data(SEALITE_SOURCE_DIR "/tests/runtime/data");
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    if (entry.path().extension() != ".tflite") continue;
    try {
      import_graph(entry.path(), "serve");
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kUnsupported || error.code() == ErrorCode::kMalformed)
          << entry.path() << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace sealite::model_file

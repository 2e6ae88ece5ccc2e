#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <vector>

#include "base/scratch_folder.h"
#include "graph/builder.h"
#include "measure/process_memory.h"
#include "tflite/run_in_litert.h"
#include "tflite/writer.h"

namespace sealite {
namespace {

constexpr std::int64_t kSide = 512;
constexpr int kConvolutions = 6;
// Six convolutions with as many tables of 9 addresses for each pixel.
constexpr std::uint64_t kTables = kConvolutions * kSide * kSide * 9 * sizeof(void*);

graph::Graph convolutions() {
  graph::Graph graph;
  graph::Builder builder(graph);
  graph::ValueId x = builder.input("x", {1, kSide, kSide, 2});
  for (int i = 0; i < kConvolutions; ++i) {
    const graph::ValueId filter =
        builder.constant("filter", {2, 3, 3, 2}, std::vector<float>(36, 0.01F * static_cast<float>(i + 1)));
    const graph::ValueId bias = builder.constant("bias", {2}, std::vector<float>{0.5F, -0.25F});
    x = builder.add("conv", graph::Conv2D{1, graph::Padding::kSame}, {x, filter, bias});
  }
  graph.outputs = {x};
  return graph;
}

struct Used {
  std::vector<float> output;
  std::uint64_t memory = 0;  // of this process alone, taken by the model
  bool delegated = false;
};

Used run(const std::filesystem::path& path, bool tables_per_run) {
  ::malloc_trim(0);  // what a model before it left on the heap would be taken again, uncounted
  const std::uint64_t before = measure::read_process_memory().unshared;
  runtime::RunOptions options;
  options.library = runtime::litert_library();
  options.tables_per_run = tables_per_run;
  runtime::CompiledModel model(path, "embed", options);
  std::vector<float> input(kSide * kSide * 2);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i % 251) / 251;
  model.write_input(0, input);
  model.run();
  model.run();
  return {model.read_output(0), measure::read_process_memory().unshared - before, model.fully_delegated()};
}

TEST(TablesPerRun, TakeLessMemoryAndGiveTheSameBits) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "convolutions.tflite";
  tflite::WriteOptions options;
  options.signature = "embed";
  tflite::write(convolutions(), path, options);
  run(path, false);  // what the first model of a process takes besides
  const Used kept = run(path, false);
  const Used anew = run(path, true);
  EXPECT_TRUE(anew.delegated);
  EXPECT_EQ(anew.output, kept.output);
  EXPECT_LT(anew.memory + kTables / 2, kept.memory);
}

}  // namespace
}  // namespace sealite

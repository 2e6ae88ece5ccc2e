// Google Benchmark of what takes the time in conversion and in handling pictures, LiteRT left aside (that is
// `sealite bench`): opening a checkpoint, quantising, resizing, the JND heat map, writing a model.
//
//   hot_paths [--benchmark_filter=REGEX] [--benchmark_repetitions=N] …     see hot_paths --help
//
// Wall-clock time; what is parallel in Sealite runs on all processors here too. Files lie in $TMPDIR.
#include <benchmark/benchmark.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <algorithm>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "checkpoint/checkpoint.h"
#include "graph/builder.h"
#include "pixels/jnd.h"
#include "pixels/resize.h"
#include "quantize/quantize.h"
#include "sealite/make_checkpoint.h"
#include "tflite/writer.h"

namespace {

using namespace sealite;

/// A new folder, removed with all it holds.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "sealite-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::vector<float> random_floats(std::size_t count, float low, float high) {
  std::vector<float> values(count);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(low, high);
  std::ranges::generate(values, [&] { return uniform(random); });
  return values;
}

/// x [1, width] · weights [width, width].
graph::Graph one_layer(std::int64_t width) {
  graph::Graph graph;
  graph::Builder builder(graph);
  const graph::ValueId x = builder.input("x", {1, width});
  const graph::ValueId filter = builder.constant(
      "filter", {width, width}, random_floats(static_cast<std::size_t>(width * width), -1, 1));
  const graph::ValueId bias = builder.constant("bias", graph::filled({width}, 0.0F));
  graph.outputs = {builder.add("y", graph::FullyConnected{}, {x, filter, bias})};
  return graph;
}

void set_bytes(benchmark::State& state, std::uint64_t bytes_per_iteration) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes_per_iteration) * state.iterations());
}

// Zip directory, pickle, every tensor's place: no weight is read.
void open_checkpoint(benchmark::State& state) {
  const Scratch folder;
  make_checkpoint(folder / "model.pth", {.card = "pixelseal", .seed = 0, .detector_only = false});
  std::size_t tensors = 0;
  for (auto _ : state) tensors = checkpoint::Checkpoint::open(folder / "model.pth").tensors().size();
  state.counters["tensors"] = static_cast<double>(tensors);
}
BENCHMARK(open_checkpoint)->Unit(benchmark::kMillisecond)->UseRealTime();

// Scales, bias correction and the integers themselves, in the writer's blocks.
void quantize_int8_4096x4096(benchmark::State& state) {
  const graph::Graph original = one_layer(4096);
  quantize::QuantizeOptions options;
  options.recipe = &quantize::find_recipe("int8");
  constexpr std::int64_t kBlock = 512;
  for (auto _ : state) {
    graph::Graph graph = original;
    quantize::quantize(graph, options);
    const graph::SourcePtr source = graph.value(graph.nodes.back().inputs[1]).source;
    parallel_for(static_cast<std::size_t>(source->row_count() / kBlock), [&](std::size_t block) {
      const auto first = static_cast<std::int64_t>(block) * kBlock;
      std::vector<std::byte> bytes(static_cast<std::size_t>(source->bytes_per_row()) * kBlock);
      source->read({first, first + kBlock}, bytes);
      benchmark::DoNotOptimize(bytes.data());
    });
  }
  set_bytes(state, 4096ULL * 4096 * sizeof(float));
}
BENCHMARK(quantize_int8_4096x4096)->Unit(benchmark::kMillisecond)->UseRealTime();

void resize_12_megapixels_to_256(benchmark::State& state) {
  Picture picture{3000, 4000, std::vector<std::uint8_t>(3000UL * 4000 * 3)};
  std::mt19937 random(1);
  std::ranges::generate(picture.rgb, [&] { return static_cast<std::uint8_t>(random()); });
  for (auto _ : state) benchmark::DoNotOptimize(pixels::resize_antialiased(picture, 256, 256).data.data());
  set_bytes(state, picture.rgb.size());
}
BENCHMARK(resize_12_megapixels_to_256)->Unit(benchmark::kMillisecond)->UseRealTime();

// In strips from all processors, as embedding makes it.
void jnd_4_megapixels(benchmark::State& state) {
  constexpr std::size_t kSide = 2000;
  constexpr std::size_t kStrip = 50;
  const std::vector<float> rgb = random_floats(kSide * kSide * 3, 0, 1);
  const auto read_row = [&](std::int64_t y, std::span<float> row) {
    std::copy_n(rgb.begin() + y * static_cast<std::int64_t>(kSide) * 3, row.size(), row.begin());
  };
  const pixels::JndHeatMap map({1, 1}, kSide, kSide, read_row);
  std::vector<float> heat(kSide * kSide);
  for (auto _ : state) {
    parallel_for(kSide / kStrip, [&](std::size_t strip) {
      const auto first = static_cast<std::int64_t>(strip * kStrip);
      map.rows(first, first + static_cast<std::int64_t>(kStrip),
               std::span(heat).subspan(strip * kStrip * kSide, kStrip * kSide));
    });
    benchmark::DoNotOptimize(heat.data());
  }
  set_bytes(state, heat.size() * sizeof(float));
}
BENCHMARK(jnd_4_megapixels)->Unit(benchmark::kMillisecond)->UseRealTime();

// Into a new file each time; the disk may work on after that.
void write_100_megabytes(benchmark::State& state) {
  const Scratch folder;
  const graph::Graph graph = one_layer(5120);
  tflite::WriteOptions options;
  options.signature = "product";
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    bytes = tflite::write(graph, folder / "model.tflite", options).file_bytes;
    state.PauseTiming();
    std::filesystem::remove(folder / "model.tflite");
    state.ResumeTiming();
  }
  set_bytes(state, bytes);
}
BENCHMARK(write_100_megabytes)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

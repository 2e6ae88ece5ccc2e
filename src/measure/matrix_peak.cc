#include "measure/matrix_peak.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <algorithm>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <system_error>

#include "base/error.h"
#include "graph/builder.h"
#include "measure/loaded_model.h"
#include "quantize/quantize.h"
#include "tflite/writer.h"

namespace sealite::measure {
namespace {

// Both multiples of every kernel's tile, and large enough that packing and starting threads do not count;
// 16 MB of float weights, as a large layer has.
constexpr std::int64_t kRows = 512;
constexpr std::int64_t kWidth = 2048;
constexpr double kSeconds = 1;
constexpr int kLeastPeakRuns = 5;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sealite-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(ErrorCode::kIo, "cannot make the folder {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write_product(const std::filesystem::path& path, const char* recipe) {
  graph::Graph graph;
  graph::Builder builder(graph);
  std::vector<float> weights(static_cast<std::size_t>(kWidth * kWidth));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::ranges::generate(weights, [&] { return uniform(random); });
  const graph::ValueId x = builder.input("x", {kRows, kWidth});
  const graph::ValueId filter = builder.constant("filter", {kWidth, kWidth}, std::move(weights));
  const graph::ValueId bias = builder.constant("bias", graph::filled({kWidth}, 0.0F));
  graph.outputs = {builder.add("y", graph::FullyConnected{}, {x, filter, bias})};
  quantize::QuantizeOptions settings;
  settings.recipe = &quantize::find_recipe(recipe);
  settings.correct_bias = false;
  quantize::quantize(graph, settings);
  tflite::WriteOptions file;
  file.signature = "product";
  tflite::write(graph, path, file);
}

/// Multiply-accumulates a second of the fastest run.
double fastest(const std::filesystem::path& path, const BenchOptions& options) {
  runtime::CompiledModel model = load(check_candidate(path, ""), options, false);
  double best = std::numeric_limits<double>::infinity();
  double total = 0;
  for (int run = 0; run < kLeastPeakRuns || total < kSeconds; ++run) {
    const double seconds = time_run(model);
    best = std::min(best, seconds);
    total += seconds;
  }
  return static_cast<double>(kRows * kWidth * kWidth) / best;
}

}  // namespace

MatrixPeak measure_matrix_peak(const BenchOptions& options) {
  const TemporaryFolder folder;
  MatrixPeak peak;
  const std::filesystem::path path = folder.path() / "product.tflite";
  write_product(path, "float32");
  peak.float32 = fastest(path, options);
  write_product(path, "int8");
  peak.int8 = fastest(path, options);
  return peak;
}

}  // namespace sealite::measure

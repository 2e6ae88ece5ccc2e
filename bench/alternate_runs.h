#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/quantize.h"
#include "runtime/compiled_model.h"
#include "tflite/writer.h"

/// Several forms of the same thing in LiteRT, run alternately.
class AlternateRuns {
 public:
  AlternateRuns(std::string recipe, int threads) : recipe_(std::move(recipe)), threads_(threads) {}

  /// Quantises `graph` (one input "x"), writes it to `path` and loads it.
  void add(std::string name, sealite::graph::Graph graph, const std::filesystem::path& path) {
    using namespace sealite;
    quantize::QuantizeOptions settings;
    settings.recipe = &quantize::find_recipe(recipe_);
    if (recipe_ != "float32") quantize::quantize(graph, settings);
    tflite::WriteOptions file;
    file.signature = "run";
    tflite::write(graph, path, file);
    runtime::RunOptions options;
    options.threads = threads_;
    models_.emplace_back(path, "run", options);
    std::vector<float> values(element_count(graph.shape(graph.inputs[0])).value());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) / 7;
    models_.back().write_input(0, values);
    names_.push_back(std::move(name));
  }

  /// Prints minimum and median milliseconds of each, and the ratio to the first.
  void measure(int runs) {
    std::vector<std::vector<double>> times(models_.size());
    for (int run = 0; run < runs; ++run) {
      for (std::size_t i = 0; i < models_.size(); ++i) {
        run_once(models_[i]);  // what ran before leaves its own data in the caches
        times[i].push_back(run_once(models_[i]));
      }
    }
    fmt::print("{}, {} thread(s), {} runs\n", recipe_, threads_, runs);
    double first = 0;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      std::ranges::sort(times[i]);
      const double median = times[i][times[i].size() / 2];
      if (i == 0) first = median;
      fmt::print("  {:<40} min {:8.3f}  median {:8.3f} ms  {:.3f} x{}\n", names_[i], times[i][0], median,
                 median / first, models_[i].fully_delegated() ? "" : "  (not fully delegated)");
    }
    std::fflush(stdout);
  }

 private:
  static double run_once(sealite::runtime::CompiledModel& model) {
    const auto start = std::chrono::steady_clock::now();
    model.run();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

  std::string recipe_;
  int threads_;
  std::vector<std::string> names_;
  std::vector<sealite::runtime::CompiledModel> models_;
};

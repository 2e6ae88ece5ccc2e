// How far each recipe, and each improvement by itself, leaves the logits from the float32 model's, on the
// mean over seeds of random checkpoints. A single model's figure is a noisy draw: rounding gives each output
// a constant offset.
//
//   quantize_agreement [SEEDS] [CARD.yaml ...]      default: 10 seeds of the three tiny ConvNeXt cards in
//   shared/fixtures
//
// Prints relative errors ||difference|| / ||float32 logits|| in LiteRT on the fixtures' pictures; calibration
// uses the five photos. The float32 model runs in LiteRT too.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "../tests/npy.h"
#include "graph/evaluate.h"
#include "image/resize.h"
#include "model/detector_graph.h"
#include "passes/pass.h"
#include "quantize/calibrate.h"
#include "quantize/layer_report.h"
#include "quantize/quantize.h"
#include "runtime/compiled_model.h"
#include "sealite/make_checkpoint.h"
#include "tflite/writer.h"

namespace {

using namespace sealite;
namespace fs = std::filesystem;

constexpr std::size_t kWorstLayers = 3;

struct Variant {
  const char* name;
  const char* recipe;
  std::optional<quantize::ScaleSearch> search;  // empty: the default
  bool estimated_bias = true;
  bool calibrated = false;
  bool gptq = false;
  bool mixed = false;  // the worst layers, by their effect on the logits, in float16
};

constexpr auto kMaxAbs = quantize::ScaleSearch::kMaxAbs;
constexpr auto kMse = quantize::ScaleSearch::kMse;
constexpr Variant kVariants[] = {
    {"fp16, plain rounding", "fp16", kMaxAbs, false},
    {"fp16, default: bias from estimated moments", "fp16", {}},
    {"fp16, bias from calibration pictures", "fp16", {}, true, true},
    {"int8, plain rounding", "int8", kMaxAbs, false},
    {"int8, scale search", "int8", kMse, false},
    {"int8, default: bias from estimated moments", "int8", {}},
    {"int8, bias from calibration pictures", "int8", {}, true, true},
    {"int8, that and GPTQ", "int8", {}, true, true, true},
    {"int8, that and the 3 worst layers in fp16", "int8", {}, true, true, true, true},
    {"int4, plain rounding", "int4", kMaxAbs, false},
    {"int4, scale search", "int4", kMse, false},
    {"int4, default: scale search, bias from estimated moments", "int4", {}},
    {"int4, bias from calibration pictures", "int4", {}, true, true},
    {"int4, that and GPTQ", "int4", {}, true, true, true},
    {"int4, that and the 3 worst layers in fp16", "int4", {}, true, true, true, true},
};

struct Pictures {
  graph::Tensor test;         // [N,3,S,S]
  graph::Tensor calibration;  // likewise
};

Pictures load_pictures(std::int64_t size) {
  Pictures pictures;
  const fs::path shared = fs::path(SEALITE_SHARED) / "fixtures";
  const auto images = read_npy(shared / (size == 64 ? "demo.images.npy" : "pixelseal_tiny.images.npy"));
  pictures.test = {images.shape, images.values};
  for (const auto& entry : fs::directory_iterator(shared / "photos")) {
    const auto chw = image::to_chw(image::resize_antialiased(image::read_picture(entry.path()), size, size));
    pictures.calibration.values.insert(pictures.calibration.values.end(), chw.begin(), chw.end());
  }
  const auto count = static_cast<std::int64_t>(pictures.calibration.values.size()) / (3 * size * size);
  pictures.calibration.shape = {count, 3, size, size};
  return pictures;
}

std::vector<float> run_in_litert(const graph::Graph& graph, const graph::Tensor& images,
                                 const fs::path& scratch) {
  tflite::WriteOptions options;
  options.signature = "detect";
  options.output_names = {"logits"};
  tflite::write(graph, scratch / "model.tflite", options);
  runtime::CompiledModel model(scratch / "model.tflite", "detect", {});
  std::vector<float> logits;
  const std::size_t each = images.values.size() / static_cast<std::size_t>(images.shape[0]);
  for (std::size_t start = 0; start < images.values.size(); start += each) {
    model.write_input(0, std::span(images.values).subspan(start, each));
    model.run();
    const auto output = model.read_output(0);
    logits.insert(logits.end(), output.begin(), output.end());
  }
  return logits;
}

double relative_error(const std::vector<float>& wanted, const std::vector<float>& found) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(static_cast<double>(wanted[i]) - static_cast<double>(found[i]), 2);
    norm += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return std::sqrt(difference / norm);
}

graph::Graph apply(const Variant& variant, const graph::Graph& original, const Pictures& pictures,
                   std::vector<quantize::KeepRule> keep = {}) {
  graph::Graph graph = original;
  quantize::QuantizeOptions options;
  options.recipe = &quantize::find_recipe(variant.recipe);
  options.search = variant.search;
  options.correct_bias = variant.estimated_bias;
  options.keep = std::move(keep);
  quantize::quantize(graph, options);
  if (variant.calibrated) quantize::calibrate(original, graph, {pictures.calibration}, variant.gptq);
  return graph;
}

graph::Graph quantized(const Variant& variant, const graph::Graph& original, const Pictures& pictures) {
  graph::Graph graph = apply(variant, original, pictures);
  if (!variant.mixed) return graph;
  const auto layers = quantize::report_layers(original, graph, {pictures.calibration});
  std::vector<quantize::KeepRule> keep;
  for (std::size_t i = 0; i < std::min(kWorstLayers, layers.size()); ++i) {
    keep.push_back(quantize::parse_keep_rule(layers[i].name + "$=fp16"));
  }
  return apply(variant, original, pictures, std::move(keep));
}

void measure_card(const std::string& card_path, int seeds, const fs::path& scratch,
                  std::vector<double>& totals) {
  const model::Card card = model::load_card(card_path);
  const Pictures pictures = load_pictures(card.image_size);
  std::vector<double> sums(std::size(kVariants), 0.0);
  for (int seed = 0; seed < seeds; ++seed) {
    make_checkpoint(scratch / "model.pth", {card_path, static_cast<std::uint64_t>(seed), true});
    const auto file =
        std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(scratch / "model.pth"));
    model::InterfaceOptions border;
    border.height = border.width = card.image_size;
    graph::Graph graph =
        model::build_detector_graph(*model::make_detector(card), model::Weights(file), border);
    passes::run_pipeline(graph, {});
    const std::vector<float> exact = run_in_litert(graph, pictures.test, scratch);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const graph::Graph smaller = quantized(kVariants[i], graph, pictures);
      sums[i] += relative_error(exact, run_in_litert(smaller, pictures.test, scratch));
    }
  }
  fmt::print("{} ({} seeds)\n", card.name, seeds);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    fmt::print("  {:.5f}  {}\n", sums[i] / seeds, kVariants[i].name);
    totals[i] += sums[i] / seeds;
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int seeds = argc > 1 ? std::atoi(argv[1]) : 10;
    std::vector<std::string> cards(argv + std::min(argc, 2), argv + argc);
    if (cards.empty()) {
      for (const char* name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny"}) {
        cards.push_back(fmt::format("{}/fixtures/{}.card.yaml", SEALITE_SHARED, name));
      }
    }
    const fs::path scratch = fs::temp_directory_path() / fmt::format("sealite_agreement.{}", ::getpid());
    fs::create_directories(scratch);
    std::vector<double> totals(std::size(kVariants), 0.0);
    for (const std::string& card : cards) measure_card(card, seeds, scratch, totals);
    fmt::print("mean over {} cards\n", cards.size());
    for (std::size_t i = 0; i < totals.size(); ++i) {
      fmt::print("  {:.5f}  {}\n", totals[i] / static_cast<double>(cards.size()), kVariants[i].name);
    }
    fs::remove_all(scratch);
  } catch (const std::exception& error) {
    fmt::print(stderr, "quantize_agreement: {}\n", error.what());
    return 1;
  }
  return 0;
}

// How far each recipe, and each improvement by itself, leaves the logits from the float32 model's, on
// pictures that were not calibrated on.
//
//   quantize_agreement PICTURES [CHECKPOINT...]     default: the four of tests/reference, and assets/demo.pth
//   quantize_agreement PICTURES SEEDS               each step by itself, on random checkpoints
//
// PICTURES is a folder, searched whole, for instance of scikit-image's and scikit-learn's (28 pictures):
//   pip install --no-deps --target pictures scikit-image==0.26.0 scikit-learn==1.9.1
// In the order of their names one half is calibrated on and the other measured, then the other way round.
// SEEDS random checkpoints are made of each of the three ConvNeXt cards: a single model's figure is a noisy
// draw, since rounding gives each output a constant offset. Prints relative errors ||difference|| / ||float32
// logits||, both in LiteRT.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/error.h"
#include "evaluate/evaluate.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "passes/pass.h"
#include "pixels/resize.h"
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

// What `convert` does without an option, with --calibrate and with --gptq.
constexpr Variant kOffered[] = {
    {"fp16, default: bias from estimated moments", "fp16", {}},
    {"fp16, bias from calibration pictures", "fp16", {}, true, true},
    {"int8, default: bias from estimated moments", "int8", {}},
    {"int8, bias from calibration pictures", "int8", {}, true, true},
    {"int8, that and GPTQ", "int8", {}, true, true, true},
    {"int4, default: scale search, bias from estimated moments", "int4", {}},
    {"int4, bias from calibration pictures", "int4", {}, true, true},
    {"int4, that and GPTQ", "int4", {}, true, true, true},
};

// The steps that led there.
constexpr auto kMaxAbs = quantize::ScaleSearch::kMaxAbs;
constexpr auto kMse = quantize::ScaleSearch::kMse;
constexpr Variant kSteps[] = {
    {"fp16, plain rounding", "fp16", kMaxAbs, false},
    kOffered[0],
    kOffered[1],
    {"int8, plain rounding", "int8", kMaxAbs, false},
    {"int8, scale search", "int8", kMse, false},
    kOffered[2],
    kOffered[3],
    kOffered[4],
    {"int8, that and the 3 worst layers in fp16", "int8", {}, true, true, true, true},
    {"int4, plain rounding", "int4", kMaxAbs, false},
    {"int4, scale search", "int4", kMse, false},
    kOffered[5],
    kOffered[6],
    kOffered[7],
    {"int4, that and the 3 worst layers in fp16", "int4", {}, true, true, true, true},
};

struct Pictures {
  evaluate::Tensor calibration;  // [N,3,S,S]
  evaluate::Tensor test;         // likewise
};

// Every PNG and JPEG file of `folder`, by name.
std::vector<fs::path> find_pictures(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".png" || extension == ".jpg")) paths.push_back(entry);
  }
  std::ranges::sort(paths, {}, [](const fs::path& path) { return path.filename(); });
  if (paths.size() < 2)
    fail(ErrorCode::kUsage, "'{}' has {} pictures, expected two or more", folder.string(), paths.size());
  return paths;
}

evaluate::Tensor load_pictures(std::span<const fs::path> paths, std::int64_t size) {
  evaluate::Tensor images{{static_cast<std::int64_t>(paths.size()), 3, size, size}, {}};
  for (const fs::path& path : paths) {
    const auto chw = pixels::in_layout(pixels::resize_antialiased(image::read_picture(path), size, size),
                                       ImageLayout::kNchw);
    images.values.insert(images.values.end(), chw.begin(), chw.end());
  }
  return images;
}

// Both ways to calibrate on one half and measure on the other.
std::array<Pictures, 2> halves(std::span<const fs::path> paths, std::int64_t size) {
  const evaluate::Tensor one = load_pictures(paths.first(paths.size() / 2), size);
  const evaluate::Tensor other = load_pictures(paths.subspan(paths.size() / 2), size);
  return {Pictures{one, other}, Pictures{other, one}};
}

std::vector<float> run_in_litert(const graph::Graph& graph, const evaluate::Tensor& images,
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

using Errors = std::vector<double>;  // one for each variant

// The mean over both halves.
Errors measure(std::span<const Variant> variants, const fs::path& checkpoint,
               std::span<const fs::path> pictures, const fs::path& scratch) {
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(checkpoint));
  const model::Card card = model::derive_card(*file);
  model::InterfaceOptions border;
  border.height = border.width = card.image_size;
  graph::Graph graph = model::build_detector_graph(*model::make_detector(card), model::Weights(file), border);
  passes::run_pipeline(graph, {});
  Errors errors(variants.size(), 0.0);
  for (const Pictures& half : halves(pictures, card.image_size)) {
    const std::vector<float> exact = run_in_litert(graph, half.test, scratch);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const graph::Graph smaller = quantized(variants[i], graph, half);
      errors[i] += relative_error(exact, run_in_litert(smaller, half.test, scratch)) / 2;
    }
  }
  return errors;
}

void print_errors(std::span<const Variant> variants, const std::string& title, const Errors& errors) {
  fmt::print("{}\n", title);
  for (std::size_t i = 0; i < errors.size(); ++i) fmt::print("  {:.5f}  {}\n", errors[i], variants[i].name);
  std::fflush(stdout);
}

Errors mean_of(const std::vector<Errors>& all) {
  Errors mean(all.at(0).size(), 0.0);
  for (const Errors& errors : all) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += errors[i] / static_cast<double>(all.size());
  }
  return mean;
}

void measure_checkpoints(const std::vector<fs::path>& checkpoints, std::span<const fs::path> pictures,
                         const fs::path& scratch) {
  std::vector<Errors> all;
  for (const fs::path& checkpoint : checkpoints) {
    all.push_back(measure(kOffered, checkpoint, pictures, scratch));
    print_errors(kOffered, checkpoint.stem().string(), all.back());
  }
  print_errors(kOffered, fmt::format("mean of {}", all.size()), mean_of(all));
}

void measure_seeds(int seeds, std::span<const fs::path> pictures, const fs::path& scratch) {
  std::vector<Errors> cards;
  for (const char* name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny"}) {
    std::vector<Errors> draws;
    const auto card = fmt::format("{}/tests/reference/{}.card.yaml", SEALITE_SOURCE_DIR, name);
    for (int seed = 0; seed < seeds; ++seed) {
      const fs::path checkpoint = scratch / fmt::format("{}.pth", name);
      make_checkpoint(checkpoint, {card, static_cast<std::uint64_t>(seed), true});
      draws.push_back(measure(kSteps, checkpoint, pictures, scratch));
    }
    cards.push_back(mean_of(draws));
    print_errors(kSteps, fmt::format("{}, {} seeds", name, seeds), cards.back());
  }
  print_errors(kSteps, "mean of the three cards", mean_of(cards));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2) fail(ErrorCode::kUsage, "usage: quantize_agreement PICTURES [CHECKPOINT... | SEEDS]");
    const std::vector<fs::path> pictures = find_pictures(argv[1]);
    std::vector<fs::path> checkpoints(argv + 2, argv + argc);
    const int seeds = checkpoints.size() == 1 ? std::atoi(argv[2]) : 0;
    if (checkpoints.empty()) {
      const fs::path source = SEALITE_SOURCE_DIR;
      for (const char* name : {"chunkyseal", "pixelseal", "videoseal_1.0", "videoseal_0.0"})
        checkpoints.push_back(source / "tests/reference" / fmt::format("{}_tiny.pth", name));
      checkpoints.push_back(source / "assets/demo.pth");
    }
    const fs::path scratch = fs::temp_directory_path() / fmt::format("sealite_agreement.{}", ::getpid());
    fs::create_directories(scratch);
    fmt::print("{} pictures\n", pictures.size());
    if (seeds > 0) {
      measure_seeds(seeds, pictures, scratch);
    } else {
      measure_checkpoints(checkpoints, pictures, scratch);
    }
    fs::remove_all(scratch);
  } catch (const std::exception& error) {
    fmt::print(stderr, "quantize_agreement: {}\n", error.what());
    return 1;
  }
  return 0;
}

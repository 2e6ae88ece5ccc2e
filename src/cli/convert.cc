#include "sealite/convert.h"

#include <fmt/ranges.h>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/checkpoint_options.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/limits.h"
#include "cli/output_check.h"
#include "cli/picture_list.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"
#include "sealite/json.h"

namespace sealite::cli {
namespace {

struct ConvertArguments {
  std::string checkpoint;
  std::string output;
  std::string output_dir;
  std::string layout = "nchw";
  std::string part = "detector";
  std::string dump_after;
  std::vector<std::string> calibrate;
  std::string quantize_report;
  ConvertOptions options;
  bool force = false;
  bool json = false;
};

void print_json(const ConvertReport& report, double seconds) {
  auto json = nlohmann::ordered_json::parse(to_json(report));
  json.erase("layers");  // --quantize-report has them
  json["seconds"] = seconds;
  json["peak_memory_bytes"] = peak_memory();
  print_json_line(json);
}

void print_text(const ConvertReport& report, double seconds) {
  const auto giga_macs = static_cast<double>(report.multiply_accumulates) / 1e9;
  print("File: {}\n", report.output.string());
  print("Size: {}\n", mebibytes(report.bytes));
  print("Quantization: {}\n", report.precision_label);
  print("Input: image {} float32 RGB in [0, 1]\n", shape_text(report.input_shape));
  if (report.part == Part::kEmbedder)
    print("Input: message {} float32, zeros and ones\n", shape_text(report.message_shape));
  print("Output: {} {} float32\n", report.part == Part::kEmbedder ? "delta" : "logits",
        shape_text(report.output_shape));
  print("Card: {}, {} parameters, {} operators\n", report.card, report.parameters, report.operators);
  print("Estimated count of arithmetic ops: {:.3f} G ops\n", 2 * giga_macs);
  print("Equivalently: {:.3f} G MACs\n", giga_macs);
  print("Time: {:.2f} s, peak memory: {}\n", seconds, mebibytes(peak_memory()));
}

void write_layer_report(const std::filesystem::path& path, const ConvertReport& report) {
  const auto all = nlohmann::ordered_json::parse(to_json(report));
  nlohmann::ordered_json json = {
      {"file", all["file"]}, {"precision", all["precision"]}, {"layers", nlohmann::json::array()}};
  if (all.contains("layers")) json["layers"] = all["layers"];
  AtomicFile file(path);
  file.write(0, as_bytes(json.dump(2) + "\n"));
  file.commit();
}

void warn_non_finite(const ConvertReport& report) {
  for (const auto& [name, count] : report.non_finite) {
    warn("tensor '{}' has {} NaN or infinite value{}: the model's answers will not be numbers", name, count,
         count == 1 ? "" : "s");
  }
}

// The first few.
std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 5;
  std::string text;
  for (const std::string& name : std::span(names).first(std::min(kNamed, names.size())))
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  if (names.size() > kNamed) text += fmt::format(" and {} more", names.size() - kNamed);
  return text;
}

void warn_unread(const ConvertReport& report) {
  if (report.unread.empty()) return;
  warn("{} tensor{} of the {} {} read by no layer and left out: {}", report.unread.size(),
       report.unread.size() == 1 ? "" : "s", report.part == Part::kDetector ? "detector" : "embedder",
       report.unread.size() == 1 ? "is" : "are", list_names(report.unread));
}

void check_pass(const std::string& name) {
  const std::vector<NamedChoice> passes = conversion_passes();
  if (std::ranges::count(passes, name, &NamedChoice::name) != 0) return;
  std::string known;
  for (const NamedChoice& pass : passes) known += fmt::format("{}{}", known.empty() ? "" : ", ", pass.name);
  fail(ErrorCode::kUsage, "no pass '{}'; the passes are {}", name, known);
}

Part parse_part(const std::string& name) {
  if (name == "both") return Part::kBoth;
  return name == "embedder" ? Part::kEmbedder : Part::kDetector;
}

// The checkpoint is the library's own business where the model goes there.
void check_files(const ConvertArguments& arguments) {
  InputFiles inputs;
  inputs.add("the --card", arguments.options.card);
  for (const std::filesystem::path& picture : arguments.options.calibrate)
    inputs.add("a picture of --calibrate", picture);
  inputs.check_is_none(arguments.output);
  if (arguments.quantize_report.empty()) return;
  if (!arguments.output.empty() && std::filesystem::path(arguments.quantize_report).lexically_normal() ==
                                       std::filesystem::path(arguments.output).lexically_normal())
    fail(ErrorCode::kUsage, "--quantize-report: '{}' is the model that is written",
         arguments.quantize_report);
  inputs.add("the checkpoint", arguments.checkpoint);
  inputs.add("the model that is written", arguments.output);
  add_context("--quantize-report", [&] { inputs.check_is_none(arguments.quantize_report); });
}

int run(ConvertArguments& arguments) {
  const Stopwatch stopwatch;
  if (arguments.output.empty() == arguments.output_dir.empty()) {
    fail(ErrorCode::kUsage, "say where to write: either -o OUT.tflite or --output_dir D");
  }
  arguments.options.part = parse_part(arguments.part);
  if (arguments.options.part == Part::kBoth && !arguments.quantize_report.empty())
    fail(ErrorCode::kUsage, "--quantize-report is of one part: give --part detector or embedder");
  arguments.options.layout = arguments.layout == "nhwc" ? ImageLayout::kNhwc : ImageLayout::kNchw;
  if (!arguments.dump_after.empty()) {
    check_pass(arguments.dump_after);
    arguments.options.after_pass = [&](std::string_view pass, const std::function<std::string()>& dump) {
      if (pass == arguments.dump_after) print_lines_to_stderr(dump());
    };
  }
  arguments.options.layer_errors = !arguments.quantize_report.empty();
  for (const std::string& picture : list_pictures(arguments.calibrate, false))
    arguments.options.calibrate.emplace_back(picture);
  arguments.options.replace_others = arguments.force;
  check_files(arguments);
  ProgressLine progress;
  arguments.options.context = program_context(progress);
  const std::vector<ConvertReport> reports =
      arguments.output.empty() ? convert_into(arguments.checkpoint, arguments.output_dir, arguments.options)
                               : convert(arguments.checkpoint, arguments.output, arguments.options);
  for (const ConvertReport& report : reports) {
    if (!arguments.quantize_report.empty()) write_layer_report(arguments.quantize_report, report);
    warn_non_finite(report);
    warn_unread(report);
    arguments.json ? print_json(report, stopwatch.seconds()) : print_text(report, stopwatch.seconds());
  }
  return 0;
}

std::string footer() {
  std::string text = "Cards: " + fmt::format("{}", fmt::join(card_names(), ", "));
  text += "\nRecipes:\n";
  for (const NamedChoice& recipe : conversion_recipes())
    text += fmt::format("  {:<10}{}\n", recipe.name, recipe.summary);
  text += "Passes:\n";
  for (const NamedChoice& pass : conversion_passes())
    text += fmt::format("  {:<24}{}\n", pass.name, pass.summary);
  text +=
      "Examples:\n"
      "  sealite convert chunkyseal_detector_only.pth -o chunkyseal.tflite\n"
      "  sealite convert demo.pth -o demo.tflite --card demo.card.yaml --layout nhwc\n"
      "  sealite convert demo.pth -o demo.tflite --card demo.card.yaml --part both\n"
      "      (writes demo.detector.tflite and demo.embedder.tflite)\n"
      "  sealite convert chunkyseal_detector_only.pth --output_dir ./tflite_models --model_name chunkyseal\n"
      "      (the conversion guide's words: writes chunkyseal_detector_chunkyseal_256.tflite)\n"
      "A file that is there is replaced if its own metadata says that it comes from the same conversion; "
      "else\n"
      "only with --force.";
  return text;
}

}  // namespace

Run add_convert(CLI::App& app) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App& command =
      *app.add_subcommand("convert", "Turn a checkpoint's detector, embedder or both into .tflite models");
  command.add_option("checkpoint", arguments->checkpoint, kCheckpointFiles)->required();
  command.add_option("-o,--output", arguments->output, "The .tflite file to write");
  add_key_option(command, arguments->options.key);
  command.add_option("--card", arguments->options.card,
                     "Model card: a name or a YAML file (default: from the checkpoint)");
  command
      .add_option("--part", arguments->part,
                  "What to convert; both: OUT.detector.tflite and OUT.embedder.tflite")
      ->check(CLI::IsMember({"detector", "embedder", "both"}))
      ->capture_default_str();
  command
      .add_option("--image-size,--image_size", arguments->options.image_size,
                  "Height and width (default: the card's)")
      ->check(CLI::Range(16, 4096));
  command.add_option("--layout", arguments->layout, "Order of the image's axes")
      ->check(CLI::IsMember({"nchw", "nhwc"}))
      ->capture_default_str();
  command.add_option("--quantize", arguments->options.quantize, "How weights are stored (recipes below)")
      ->capture_default_str();
  command
      .add_option("--keep", arguments->options.keep,
                  "REGEX=float32|fp16|int8: layers that the recipe spares (repeatable)")
      ->allow_extra_args(false);
  command
      .add_option("--calibrate", arguments->calibrate,
                  "A picture or a folder of them: rounding errors are corrected there (repeatable)")
      ->allow_extra_args(false);
  command.add_flag("--gptq", arguments->options.gptq,
                   "Error-compensating rounding on the --calibrate pictures; slow");
  command.add_option(
      "--quantize-report", arguments->quantize_report,
      "Write each layer's errors to this JSON file (with --calibrate: its effect on the logits; slow)");
  command.add_flag("--dynamic,--no_simple", arguments->options.dynamic,
                   "Leave batch, height and width free (detectors only)");
  command.add_flag("--allow-non-finite", arguments->options.allow_non_finite,
                   "Convert weights that are NaN or infinite, too (default: refuse them)");
  command.add_flag("--sync", arguments->options.sync, "Wait until the disk has the file");
  command.add_option("--dump-after", arguments->dump_after, "Print the graph after this pass to stderr");
  command.add_option("--stop-after", arguments->options.stop_after, "Run no pass after this one");
  command.add_option(
      "--output_dir", arguments->output_dir,
      "Folder to write to, under the guide's names: CARD_PART_MODEL_SIZE[_dynamic][_nhwc][_RECIPE].tflite");
  command.add_option("--model_name", arguments->options.model_name,
                     "MODEL in these names (default: the card's name)");
  command.add_flag(
      "--force", arguments->force,
      "Replace the file also if it is no model of sealite's, or one of another checkpoint, card, part or "
      "options");
  add_pixel_limit(command, arguments->options.max_pixels);
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(footer());
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli

#include "sealite/extract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/checkpoint_options.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"

namespace sealite::cli {
namespace {

struct ExtractArguments {
  std::string checkpoint;
  std::string output;
  std::string part = "detector";
  std::string dtype;
  std::string key;
  bool json = false;
};

ExtractOptions options_of(const ExtractArguments& arguments) {
  static const std::map<std::string, ExtractPart> kParts{
      {"detector", ExtractPart::kDetector}, {"embedder", ExtractPart::kEmbedder}, {"all", ExtractPart::kAll}};
  static const std::map<std::string, ExtractType> kTypes{{"", ExtractType::kAsInFile},
                                                         {"float32", ExtractType::kFloat32},
                                                         {"fp16", ExtractType::kFloat16},
                                                         {"bf16", ExtractType::kBFloat16}};
  return {kParts.at(arguments.part), kTypes.at(arguments.dtype), {}, arguments.key};
}

const char* args_word(ExtractedArgs args) {
  switch (args) {
    case ExtractedArgs::kText:
      return "yaml";
    case ExtractedArgs::kDict:
      return "dict";
    case ExtractedArgs::kMetadata:
      return "metadata";
    case ExtractedArgs::kNone:
      break;
  }
  return "none";
}

const char* args_sentence(ExtractedArgs args) {
  switch (args) {
    case ExtractedArgs::kText:
      return "kept, the same YAML text";
    case ExtractedArgs::kDict:
      return "kept, as a dict";
    case ExtractedArgs::kMetadata:
      return "kept, as texts in __metadata__";
    case ExtractedArgs::kNone:
      break;
  }
  return "none in the file";
}

nlohmann::ordered_json parts_json(const std::vector<DroppedPart>& parts) {
  auto list = nlohmann::ordered_json::array();
  for (const DroppedPart& part : parts) {
    list.push_back({{"name", part.name}, {"tensors", part.tensors}, {"bytes", part.bytes}});
  }
  return list;
}

void print_json(const ExtractArguments& arguments, const ExtractReport& report, double seconds) {
  auto json = nlohmann::ordered_json::object();
  json["file"] = report.output.string();
  json["format"] = report.format;
  json["bytes"] = report.bytes;
  json["part"] = arguments.part;
  json["tensors"] = report.tensors;
  json["tensor_bytes"] = report.tensor_bytes;
  json["dtypes"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : report.dtypes) json["dtypes"][name] = count;
  json["args"] = args_word(report.args);
  if (report.epoch) json["epoch"] = *report.epoch;
  json["dropped_args"] = report.dropped_args;
  json["dropped_sections"] = parts_json(report.dropped_sections);
  json["dropped_prefixes"] = parts_json(report.dropped_prefixes);
  json["shared"] = report.shared;
  json["became_infinite"] = report.overflowed;
  json["seconds"] = seconds;
  json["peak_memory_bytes"] = peak_memory();
  print_json_line(json);
}

void print_kept(const ExtractArguments& arguments, const ExtractReport& report) {
  std::vector<std::string> types;
  for (const auto& [name, count] : report.dtypes) types.push_back(fmt::format("{} {}", count, name));
  print("Kept: {}, {} tensors ({}), {}\n", arguments.part == "all" ? "the model" : arguments.part,
        report.tensors, fmt::format("{}", fmt::join(types, ", ")), mebibytes(report.tensor_bytes));
}

void print_dropped(const ExtractReport& report) {
  for (const DroppedPart& part : report.dropped_prefixes) {
    print("Dropped: {} of the model, {} tensors, {}\n", part.name, part.tensors, mebibytes(part.bytes));
  }
  for (const DroppedPart& part : report.dropped_sections) {
    print("Dropped: {}, {} tensors, {}\n", part.name, part.tensors, mebibytes(part.bytes));
  }
  if (!report.dropped_args.empty()) {
    print("Dropped args, which only code could rebuild: {}\n",
          fmt::format("{}", fmt::join(report.dropped_args, ", ")));
  }
}

void print_text(const ExtractArguments& arguments, const ExtractReport& report, double seconds) {
  print("File: {}\nSize: {}\n", report.output.string(), mebibytes(report.bytes));
  print_kept(arguments, report);
  for (const auto& [name, other] : report.shared) {
    if (report.format == "torch") {
      print("Shared: {} has the memory of {}\n", name, other);
    } else {
      print("Written twice: {} shares the memory of {}, which safetensors has no place for\n", name, other);
    }
  }
  print("Args: {}\n", args_sentence(report.args));
  if (report.epoch) print("Epoch: {}\n", *report.epoch);
  print_dropped(report);
  print("Time: {:.2f} s, peak memory: {}\n", seconds, mebibytes(peak_memory()));
}

void warn_overflowed(const ExtractReport& report) {
  for (const auto& [name, count] : report.overflowed) {
    warn("tensor '{}': {} value{} too large for this type and became infinite; use bf16 or float32", name,
         count, count == 1 ? " was" : "s were");
  }
}

int run(const ExtractArguments& arguments) {
  const Stopwatch stopwatch;
  ProgressLine progress;
  ExtractOptions options = options_of(arguments);
  options.context = program_context(progress);
  const ExtractReport report = extract(arguments.checkpoint, arguments.output, options);
  warn_overflowed(report);
  arguments.json ? print_json(arguments, report, stopwatch.seconds())
                 : print_text(arguments, report, stopwatch.seconds());
  return 0;
}

}  // namespace

Run add_extract(CLI::App& app) {
  auto arguments = std::make_shared<ExtractArguments>();
  CLI::App& command = *app.add_subcommand(
      "extract",
      "Copy the detector (or the embedder) out of a trainer's file, with its args, to a small one");
  command.add_option("checkpoint,--checkpoint", arguments->checkpoint, kCheckpointFiles)->required();
  command
      .add_option("-o,--output", arguments->output,
                  "The file to write; its extension, .pth, .pt or .safetensors, is its format")
      ->required();
  command.add_option("--part", arguments->part, "What to keep of the model")
      ->check(CLI::IsMember({"detector", "embedder", "all"}))
      ->capture_default_str();
  command.add_option("--dtype", arguments->dtype, "Type of floating-point tensors (default: as in the file)")
      ->check(CLI::IsMember({"float32", "fp16", "bf16"}));
  add_key_option(command, arguments->key);
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(
      "Optimizer, scheduler and discriminator stay behind.\n"
      "Examples:\n"
      "  sealite extract chunkyseal_full.pth -o chunkyseal_detector_only.pth\n"
      "  sealite extract chunkyseal_full.pth -o detector.safetensors --dtype fp16");
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli

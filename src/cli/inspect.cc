#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "base/error.h"
#include "cli/checkpoint_options.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/piped_model.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"
#include "sealite/inspect.h"
#include "sealite/json.h"

namespace sealite::cli {
namespace {

struct InspectArguments {
  std::string file;
  std::string opened;  // what `file` stands for
  bool tensors = false;
  bool json = false;
  std::string key;
};

InspectedTensors listed(const InspectArguments& arguments) {
  return arguments.tensors ? InspectedTensors::kListed : InspectedTensors::kLeftOut;
}

void show_checkpoint(const InspectArguments& arguments) {
  ProgressLine progress;
  const auto file = inspect_checkpoint(arguments.opened, program_context(progress), arguments.key);
  if (arguments.json) return print_json_line(to_json(file, arguments.file, listed(arguments)));
  print("{}: {} checkpoint, {}\n", arguments.file, file.format, mebibytes(file.bytes));
  print("Model: {} tensors, {} parameters\n", file.tensors.size(), file.parameters);
  print("Sections:\n");
  for (const auto& section : file.sections) {
    print("  {:<16} {:>6} tensors  {:>14}{}{}\n", section.name, section.tensors, mebibytes(section.bytes),
          section.opaque.empty() ? "" : "  opaque: ", fmt::format("{}", fmt::join(section.opaque, ", ")));
  }
  for (const std::string& note : file.notes) print("Note: {}\n", note);
  if (!file.args.empty()) print("Args:\n");
  for (const auto& [key, value] : file.args) print("  {}: {}\n", key, value);
  if (!arguments.tensors) return;
  print("Tensors:\n");
  for (const InspectedTensor& tensor : file.tensors) {
    print("  {:<9} {:<24} {}\n", tensor.type, shape_text(tensor.shape), tensor.name);
  }
  if (!file.unreadable.empty()) print("Opaque tensors:\n");
  for (const auto& [name, what] : file.unreadable) print("  {} {}\n", what, name);
}

void show_model(const InspectArguments& arguments) {
  ProgressLine progress;
  const ModelInspection model = inspect_model(arguments.opened, program_context(progress));
  if (arguments.json) return print_json_line(to_json(model, arguments.file, listed(arguments)));
  print("{}: TFLite model, {}{}\n", arguments.file, mebibytes(model.bytes),
        model.weights_outside ? ", weights outside the flatbuffer" : "");
  print("Description: {}\n", model.description);
  for (const auto& signature : model.signatures) {
    print("Signature '{}':\n", signature.key);
    for (const auto& tensor : signature.inputs) {
      print("  input   {} {} {}\n", tensor.name, shape_text(tensor.shape), tensor.type);
    }
    for (const auto& tensor : signature.outputs) {
      print("  output  {} {} {}\n", tensor.name, shape_text(tensor.shape), tensor.type);
    }
  }
  std::size_t total = 0;
  for (const auto& [name, count] : model.operators) total += count;
  print("Operators: {}\n", total);
  for (const auto& [name, count] : model.operators) print("  {:>6} {}\n", count, name);
  for (const auto& [name, text] : model.metadata) print("Metadata '{}': {}\n", name, text);
  if (!arguments.tensors) return;
  print("Tensors:\n");
  for (const auto& tensor : model.tensors) {
    print("  {:<9} {:<24} {:>12}  {}\n", tensor.type, shape_text(tensor.shape),
          tensor.weight_bytes > 0 ? fmt::format("{} bytes", tensor.weight_bytes) : "", tensor.name);
  }
}

void show(const InspectArguments& arguments) {
  is_model_file(arguments.opened) ? show_model(arguments) : show_checkpoint(arguments);
}

// Errors call the standard input what the command line calls it.
void show_piped(InspectArguments arguments) {
  std::optional<PipedModel> piped;
  {
    ProgressLine progress;
    piped.emplace(program_context(progress));
  }
  arguments.opened = piped->path();
  try {
    show(arguments);
  } catch (const Error& error) {
    std::string text = error.what();
    for (std::size_t at = text.find(arguments.opened); at != std::string::npos;
         at = text.find(arguments.opened))
      text.replace(at, arguments.opened.size(), "-");
    throw Error(error.code(), text);
  }
}

}  // namespace

Run add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App& command =
      *app.add_subcommand("inspect", "Show what a checkpoint or model holds; nothing in it is executed");
  command
      .add_option("file", arguments->file,
                  ".pth, TorchScript, .safetensors, .index.json (or its folder) or .tflite file, or - for "
                  "the standard "
                  "input")
      ->required();
  add_key_option(command, arguments->key);
  command.add_flag("--tensors", arguments->tensors, "List every tensor");
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(
      "Examples:\n  sealite inspect chunkyseal_checkpoint.pth\n  sealite inspect chunkyseal.tflite "
      "--tensors");
  return [arguments] {
    arguments->opened = arguments->file;
    arguments->file == "-" ? show_piped(*arguments) : show(*arguments);
    return 0;
  };
}

}  // namespace sealite::cli

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <tuple>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/plain_text.h"
#include "cli/units.h"
#include "model_file/reader.h"

namespace sealite::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InspectArguments {
  std::string file;
  bool tensors = false;
  bool json = false;
};

// TFLite files carry "TFL3" after their first four bytes.
bool is_tflite(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  return file.gcount() == 8 && std::string_view(head.data() + 4, 4) == "TFL3";
}

// What batch normalisation saves without training it.
bool is_buffer(std::string_view name) {
  constexpr std::string_view kBuffers[] = {"running_mean", "running_var", "num_batches_tracked"};
  return std::ranges::find(kBuffers, name.substr(name.rfind('.') + 1)) != std::end(kBuffers);
}

// Trained values, a shared storage counted once: as make-checkpoint counts, and PyTorch's `parameters()`.
std::uint64_t parameter_total(const checkpoint::Checkpoint& file) {
  std::uint64_t total = 0;
  std::set<std::tuple<const std::byte*, DType, std::uint64_t>> seen;
  for (const auto& [name, tensor] : file.tensors()) {
    const std::uint64_t count = element_count(tensor.shape).value_or(0);
    if (!is_buffer(name) && seen.emplace(tensor.bytes.data(), tensor.type, count).second) total += count;
  }
  return total;
}

void print_checkpoint_json(const checkpoint::Checkpoint& file, bool tensors) {
  Json json;
  json["file"] = file.path().string();
  json["format"] = file.format();
  json["bytes"] = file.file_bytes();
  json["parameters"] = parameter_total(file);
  json["args"] = file.args();
  json["sections"] = Json::array();
  for (const auto& section : file.sections()) {
    json["sections"].push_back(
        {{"name", section.name}, {"tensors", section.tensors}, {"bytes", section.bytes}});
  }
  if (tensors) {
    json["tensors"] = Json::array();
    for (const auto& [name, tensor] : file.tensors()) {
      json["tensors"].push_back({{"name", name},
                                 {"type", dtype_name(tensor.type)},
                                 {"shape", tensor.shape},
                                 {"storage", tensor.storage}});
    }
  }
  print_json_line(json);
}

void inspect_checkpoint(const InspectArguments& arguments) {
  const auto file = checkpoint::Checkpoint::open(arguments.file);
  if (arguments.json) return print_checkpoint_json(file, arguments.tensors);
  print("{}: {} checkpoint, {}\n", arguments.file, file.format(), mebibytes(file.file_bytes()));
  print("Model: {} tensors, {} parameters\n", file.tensors().size(), parameter_total(file));
  print("Sections:\n");
  for (const auto& section : file.sections()) {
    print("  {:<16} {:>6} tensors  {:>14}\n", section.name, section.tensors, mebibytes(section.bytes));
  }
  if (!file.args().empty()) print("Args:\n");
  for (const auto& [key, value] : file.args()) print("  {}: {}\n", key, value);
  if (!arguments.tensors) return;
  print("Tensors:\n");
  for (const auto& [name, tensor] : file.tensors()) {
    print("  {:<9} {:<24} {}\n", dtype_name(tensor.type), to_string(tensor.shape), name);
  }
}

Json signature_json(const std::vector<model_file::ModelTensor>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors) {
    list.push_back({{"name", tensor.name}, {"type", dtype_name(tensor.type)}, {"shape", tensor.shape}});
  }
  return list;
}

void print_model_json(const std::string& path, const model_file::ModelInfo& model, bool tensors) {
  Json json;
  json["file"] = path;
  json["format"] = "tflite";
  json["bytes"] = model.file_bytes;
  json["description"] = model.description;
  json["weights_outside_flatbuffer"] = model.weights_outside;
  json["signatures"] = Json::array();
  for (const auto& signature : model.signatures) {
    json["signatures"].push_back({{"key", signature.key},
                                  {"inputs", signature_json(signature.inputs)},
                                  {"outputs", signature_json(signature.outputs)}});
  }
  json["operators"] = model.operators;
  json["metadata"] = model.metadata;
  if (tensors) {
    json["tensors"] = Json::array();
    for (const auto& tensor : model.tensors) {
      json["tensors"].push_back({{"name", tensor.name},
                                 {"type", dtype_name(tensor.type)},
                                 {"shape", tensor.shape},
                                 {"weight_bytes", tensor.weight_bytes}});
    }
  }
  print_json_line(json);
}

void inspect_model(const InspectArguments& arguments) {
  const model_file::ModelInfo model = model_file::read_model(arguments.file);
  if (arguments.json) return print_model_json(arguments.file, model, arguments.tensors);
  print("{}: TFLite model, {}{}\n", arguments.file, mebibytes(model.file_bytes),
        model.weights_outside ? ", weights outside the flatbuffer" : "");
  print("Description: {}\n", model.description);
  for (const auto& signature : model.signatures) {
    print("Signature '{}':\n", signature.key);
    for (const auto& tensor : signature.inputs) {
      print("  input   {} {} {}\n", tensor.name, shape_text(tensor.shape), dtype_name(tensor.type));
    }
    for (const auto& tensor : signature.outputs) {
      print("  output  {} {} {}\n", tensor.name, shape_text(tensor.shape), dtype_name(tensor.type));
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
    print("  {:<9} {:<24} {:>12}  {}\n", dtype_name(tensor.type), shape_text(tensor.shape),
          tensor.weight_bytes > 0 ? fmt::format("{} bytes", tensor.weight_bytes) : "", tensor.name);
  }
}

}  // namespace

Run add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App& command =
      *app.add_subcommand("inspect", "Show what a checkpoint or model holds; nothing in it is executed");
  command.add_option("file", arguments->file, ".pth, .safetensors or .tflite file")->required();
  command.add_flag("--tensors", arguments->tensors, "List every tensor");
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(
      "Examples:\n  sealite inspect chunkyseal_checkpoint.pth\n  sealite inspect chunkyseal.tflite "
      "--tensors");
  return [arguments] {
    is_tflite(arguments->file) ? inspect_model(*arguments) : inspect_checkpoint(*arguments);
    return 0;
  };
}

}  // namespace sealite::cli

#include "api/convert_output.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "model_file/reader.h"
#include "quantize/recipe.h"

namespace sealite {
namespace {

// The metadata of a model of ours; nothing for any other file.
std::optional<std::string> metadata_of(const std::filesystem::path& path) {
  try {
    const model_file::ModelInfo info = model_file::read_model(path);
    const auto found = info.metadata.find("sealite");
    if (found != info.metadata.end()) return found->second;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformed) throw;
  }
  return std::nullopt;
}

// In what the file's metadata is not that of the new model. Only names of ours: a stranger's may be anything.
std::vector<std::string> differences(const nlohmann::json& found, const nlohmann::json& wanted) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : wanted.items()) {
    const bool said = !value.is_string() || !value.get_ref<const std::string&>().empty();
    const bool compared = key != "sealite_version" && key != "checkpoint_hash" && said;
    if (compared && (!found.contains(key) || found.at(key) != value)) keys.push_back(key);
  }
  for (const auto& [key, value] : found.items()) {
    if (wanted.contains(key)) continue;
    keys.emplace_back("options");
    break;
  }
  return keys;
}

}  // namespace

std::string_view part_name(Part part) {
  return part == Part::kDetector ? "detector" : "embedder";
}

std::filesystem::path part_path(std::filesystem::path output, Part part) {
  const bool has_extension = output.extension() == ".tflite";
  if (has_extension) output.replace_extension();
  output += fmt::format(".{}.tflite", part_name(part));
  return output;
}

std::string guide_name(const model::Card& card, Part part, std::int64_t image_size,
                       const ConvertOptions& options) {
  if (options.model_name.find('/') != std::string::npos) {
    fail(ErrorCode::kUsage, "--model_name '{}' is part of a file name, and no path: leave the '/' out",
         options.model_name);
  }
  return fmt::format("{}_{}_{}_{}{}{}{}.tflite", card.name, part_name(part),
                     options.model_name.empty() ? card.name : options.model_name, image_size,
                     options.dynamic ? "_dynamic" : "", options.layout == ImageLayout::kNhwc ? "_nhwc" : "",
                     quantize::find_recipe(options.quantize).file_suffix);
}

void check_origin(const std::filesystem::path& output, std::string_view metadata,
                  const std::function<std::string()>& checkpoint_hash) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(output, error) || std::filesystem::file_size(output, error) == 0)
    return;
  constexpr const char* kRemedy = "choose another name, or replace it with --force";
  const std::optional<std::string> found = metadata_of(output);
  const auto json = nlohmann::json::parse(found.value_or(""), nullptr, false);
  if (!json.is_object())
    fail(ErrorCode::kUsage, "'{}' is there and no model of sealite's; {}", output.string(), kRemedy);
  std::vector<std::string> differ = differences(json, nlohmann::json::parse(metadata));
  if (differ.empty() && checkpoint_hash &&
      json.value("checkpoint_hash", nlohmann::json()) != checkpoint_hash())
    differ.emplace_back("checkpoint_hash");
  if (differ.empty()) return;
  fail(ErrorCode::kUsage, "'{}' is there and comes from another conversion (it differs in {}); {}",
       output.string(), fmt::join(differ, ", "), kRemedy);
}

}  // namespace sealite

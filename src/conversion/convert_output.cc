#include "conversion/convert_output.h"

#include <fmt/ranges.h>

#include <optional>
#include <system_error>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "model_file/reader.h"
#include "quantize/recipe.h"

namespace sealite::conversion {
namespace {

// What a model of ours says of itself; nothing for any other file.
std::optional<model_file::Metadata> metadata_of(const std::filesystem::path& path) {
  try {
    return model_file::read_metadata(model_file::read_model(path));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformed) throw;
  }
  return std::nullopt;
}

// In what the file's metadata is not that of the new model. Only names of ours: a stranger's may be anything.
std::vector<std::string> differences(const model_file::Metadata& found, const model_file::Metadata& wanted) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& mine, const auto& other) {
    if (!(mine == other)) keys.emplace_back(key);
  };
  compare("model", found.model, wanted.model);
  compare("part", found.part, wanted.part);
  compare("bits", found.bits, wanted.bits);
  compare("image_size", found.image_size, wanted.image_size);
  compare("layout", found.layout, wanted.layout);
  if (!wanted.precision.empty()) compare("precision", found.precision, wanted.precision);
  compare("attenuation, scaling_w, scaling_i", found.embedding, wanted.embedding);
  const auto options = [](const model_file::Metadata& of) {
    return std::tie(of.dynamic, of.keep, of.rounding, of.calibration_hash, of.stop_after);
  };
  compare("options", options(found), options(wanted));
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

void check_origin(const std::filesystem::path& output, const model_file::Metadata& metadata,
                  const std::function<std::string()>& checkpoint_hash) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(output, error) || std::filesystem::file_size(output, error) == 0)
    return;
  constexpr const char* kRemedy = "choose another name, or replace it with --force";
  const std::optional<model_file::Metadata> found = metadata_of(output);
  if (!found)
    fail(ErrorCode::kUsage, "'{}' is there and no model of sealite's; {}", output.string(), kRemedy);
  std::vector<std::string> differ = differences(*found, metadata);
  if (differ.empty() && checkpoint_hash && found->checkpoint_hash != checkpoint_hash())
    differ.emplace_back("checkpoint_hash");
  if (differ.empty()) return;
  fail(ErrorCode::kUsage, "'{}' is there and comes from another conversion (it differs in {}); {}",
       output.string(), fmt::join(differ, ", "), kRemedy);
}

}  // namespace sealite::conversion

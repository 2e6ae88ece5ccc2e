#include "quantize/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace sealite::quantize {
namespace {

// Sizes are of the full-size ChunkySeal detector. Errors are of the logits, ||difference|| / ||float32||: the
// mean of five small models on 28 pictures, without calibration -> calibrated on other pictures -> with
// --gptq (bench/quantize_agreement.cc).
constexpr Recipe kRecipes[] = {
    {"float32", "", "FLOAT32", "as trained (ChunkySeal: 2952 MiB)", WeightFormat::kFloat32,
     WeightFormat::kFloat32},
    {"fp16", "_fp16", "FP16",
     "float16 weights, widened at load (1477 MiB; error 0.00051, or 0.00042 with --calibrate)",
     WeightFormat::kFloat16, WeightFormat::kFloat16},
    {"int8", "_int8", "INT8 (dynamic)",
     "int8 weights per output channel, float activations; stem and depthwise float32 (750 MiB; error 0.0165, "
     "or 0.0128 with --calibrate, 0.0093 with --gptq)",
     WeightFormat::kInt8, WeightFormat::kFloat32},
    {"int4", "_int4", "INT4 (dynamic)",
     "4-bit FULLY_CONNECTED weights per output channel, CONV_2D and head int8 (431 MiB; error 0.154, or "
     "0.113 with --calibrate, 0.061 with --gptq)",
     WeightFormat::kInt4, WeightFormat::kFloat32},
};

}  // namespace

std::string_view format_name(WeightFormat format) {
  switch (format) {
    case WeightFormat::kFloat32:
      return "float32";
    case WeightFormat::kFloat16:
      return "fp16";
    case WeightFormat::kInt8:
      return "int8";
    case WeightFormat::kInt4:
      return "int4";
  }
  return "unknown";
}

std::span<const Recipe> recipes() {
  return kRecipes;
}

const Recipe& find_recipe(std::string_view name) {
  const auto* found = std::ranges::find(kRecipes, name, &Recipe::name);
  if (found != std::end(kRecipes)) return *found;
  std::vector<std::string_view> names;
  for (const Recipe& recipe : kRecipes) names.push_back(recipe.name);
  fail(ErrorCode::kUsage, "no recipe '{}'; there are {}", name, fmt::join(names, ", "));
}

KeepRule parse_keep_rule(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos)
    fail(ErrorCode::kUsage, "--keep '{}': expected REGEX=float32|fp16|int8", text);
  const std::string format = text.substr(equals + 1);
  KeepRule rule;
  if (format == "float32") {
    rule.format = WeightFormat::kFloat32;
  } else if (format == "fp16") {
    rule.format = WeightFormat::kFloat16;
  } else if (format == "int8") {
    rule.format = WeightFormat::kInt8;
  } else {
    fail(ErrorCode::kUsage, "--keep '{}': '{}' is none of float32, fp16, int8", text, format);
  }
  try {
    rule.pattern = std::regex(text.substr(0, equals));
  } catch (const std::regex_error& error) {
    fail(ErrorCode::kUsage, "--keep '{}': no regular expression: {}", text, error.what());
  }
  return rule;
}

}  // namespace sealite::quantize

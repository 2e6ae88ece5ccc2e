#pragma once

#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace sealite::quantize {

/// How one filter is stored.
enum class WeightFormat : std::uint8_t { kFloat32, kFloat16, kInt8, kInt4 };

std::string_view format_name(WeightFormat format);

/// A recipe: what a user asks for by name. One row of the table in recipe.cc.
struct Recipe {
  std::string_view name;         // "int8", for --quantize
  std::string_view file_suffix;  // of the conversion guide's file names: "_int8"
  std::string_view label;        // as the guide prints it: "INT8 (dynamic)"
  std::string_view summary;      // for --help: what it does, measured size and agreement
  WeightFormat dense;            // of FULLY_CONNECTED and CONV_2D filters
  WeightFormat depthwise;
};

/// All recipes, float32 first.
std::span<const Recipe> recipes();

/// Throws kUsage, listing the names there are.
const Recipe& find_recipe(std::string_view name);

/// "REGEX=FORMAT": layers whose name the regular expression finds are stored so, whatever the recipe says.
struct KeepRule {
  std::regex pattern;
  WeightFormat format = WeightFormat::kFloat32;
};

/// Parses "REGEX=float32|fp16|int8". Throws kUsage.
KeepRule parse_keep_rule(const std::string& text);

/// The format for `node`'s filter: the first keep rule that finds its name, else what the recipe wants and
/// the runtime runs well (policy.cc: one table). kFloat32 for nodes without a constant filter.
WeightFormat choose_format(const graph::Graph& graph, const graph::Node& node, const Recipe& recipe,
                           std::span<const KeepRule> keep);

}  // namespace sealite::quantize

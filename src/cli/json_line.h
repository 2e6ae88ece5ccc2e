#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sealite::cli {

/// Prints `json` as one line on stdout. File names may hold any bytes: what is not UTF-8 becomes U+FFFD.
void print_json_line(const nlohmann::ordered_json& json);
/// The same for what is JSON already (sealite/json.h).
void print_json_line(const std::string& json);

}  // namespace sealite::cli

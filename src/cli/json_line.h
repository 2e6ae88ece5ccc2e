#pragma once

#include <nlohmann/json_fwd.hpp>

namespace sealite::cli {

/// Prints `json` as one line on stdout. File names may hold any bytes: what is not UTF-8 becomes U+FFFD.
void print_json_line(const nlohmann::ordered_json& json);

}  // namespace sealite::cli

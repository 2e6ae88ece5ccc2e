#include "cli/json_line.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace sealite::cli {

void print_json_line(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace sealite::cli

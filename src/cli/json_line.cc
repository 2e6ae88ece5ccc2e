#include "cli/json_line.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace sealite::cli {

void print_json_line(const nlohmann::ordered_json& json) {
  print_json_line(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_json_line(const std::string& json) {
  fmt::print("{}\n", json);
}

}  // namespace sealite::cli

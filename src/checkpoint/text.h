#pragma once

#include <string>
#include <string_view>

namespace sealite::checkpoint {

/// `text` made fit for an error message: control bytes (a file could carry terminal escapes) and what is not
/// UTF-8 become '?', and more than 120 bytes are cut.
std::string printable(std::string_view text);

/// Whether `text` is well-formed UTF-8 (names go to JSON output later, which refuses anything else).
bool is_utf8(std::string_view text);

}  // namespace sealite::checkpoint

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sealite {

/// Bytes of the well-formed UTF-8 sequence at the front of `text`, 0 if there is none (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_sequence_length(std::string_view text);

/// `text` made fit for an error message: control bytes (a file could carry terminal escapes) and what is not
/// UTF-8 become '?', and more than 120 bytes are cut.
std::string printable(std::string_view text);

/// Whether `text` is well-formed UTF-8 (names go to JSON output later, which refuses anything else).
bool is_utf8(std::string_view text);

}  // namespace sealite

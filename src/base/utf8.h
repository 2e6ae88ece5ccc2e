#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sealite {

/// Bytes of the well-formed UTF-8 sequence at the front of `text`, 0 if there is none (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_sequence_length(std::string_view text);

/// Whether the well-formed UTF-8 sequence `sequence` may be shown to somebody: it is no control character
/// (C0, DEL, C1: terminal escapes, new lines, tabs), no other end of a line (U+2028, U+2029) and no mark that
/// turns the order of what is around it (Unicode's bidirectional marks, embeddings, overrides and isolates).
bool is_showable(std::string_view sequence);

/// `text` made fit to be shown in one line, whatever terminal or page shows it: what is not UTF-8, byte by
/// byte, and what is not showable become '?'. For every text that came from outside: from files, their names
/// and the command line.
std::string shown(std::string_view text);

/// The same of the first 120 bytes, for error messages.
std::string printable(std::string_view text);

/// Whether `text` is well-formed UTF-8 (names go to JSON output later, which refuses anything else).
bool is_utf8(std::string_view text);

}  // namespace sealite

#pragma once

#include <string>

namespace sealite::cli {

/// `text` with '?' for every control character but "\n" and "\t": what a file says must not move the
/// terminal's cursor or set its title.
std::string plain_text(std::string text);

/// Prints "sealite: error: MESSAGE" to stderr, as one line.
void print_error_line(const std::string& message);

}  // namespace sealite::cli

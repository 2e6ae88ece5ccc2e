#pragma once

#include <string>

namespace sealite::cli {

/// A probability as every command prints it, two digits: "1", "0.3", "0.00012", "1.2e-8"; of any size, also
/// where a double would be 0.
std::string probability_text(double log10_probability);

}  // namespace sealite::cli

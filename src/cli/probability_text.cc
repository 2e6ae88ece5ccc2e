#include "cli/probability_text.h"

#include <fmt/format.h>

#include <cmath>

namespace sealite::cli {

std::string probability_text(double log10_probability) {
  constexpr double kPlain = -4;  // from 0.0001 up without an exponent
  if (log10_probability >= kPlain) return fmt::format("{:.2g}", std::pow(10.0, log10_probability));
  double exponent = std::floor(log10_probability);
  double digits = std::round(10 * std::pow(10.0, log10_probability - exponent)) / 10;
  if (digits >= 10) {
    digits /= 10;
    exponent += 1;
  }
  return fmt::format("{:.2g}e{:.0f}", digits, exponent);
}

}  // namespace sealite::cli

#include "watermark/decide.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "sealite/candidates.h"

namespace sealite::watermark {

double log10_binomial_tail(std::size_t matches, std::size_t bits) {
  if (matches == 0) return 0;
  if (matches > bits) return -std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(bits);
  // ln C(n, k) - n ln 2 for each k, summed relative to the largest term.
  const auto log_term = [n](std::size_t k) {
    const auto x = static_cast<double>(k);
    return std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) - n * std::numbers::ln2;
  };
  const double largest = log_term(std::max(matches, bits / 2));
  double sum = 0;
  for (std::size_t k = matches; k <= bits; ++k) sum += std::exp(log_term(k) - largest);
  return std::min(0.0, (largest + std::log(sum)) / std::numbers::ln10);
}

MessageMatch compare(const Bits& read, const Bits& expected) {
  if (read.size() != expected.size()) {
    fail(ErrorCode::kInternal, "compared {} bits with {}", read.size(), expected.size());
  }
  MessageMatch agreement;
  agreement.bits = read.size();
  for (std::size_t i = 0; i < read.size(); ++i) agreement.matches += read[i] == expected[i] ? 1U : 0U;
  agreement.log10_p_value = log10_binomial_tail(agreement.matches, agreement.bits);
  agreement.p_value = std::pow(10.0, agreement.log10_p_value);
  return agreement;
}

}  // namespace sealite::watermark

namespace sealite {

double log10_least_p_value(std::size_t bits, std::size_t candidates) {
  return std::min(0.0,
                  watermark::log10_binomial_tail(bits, bits) + std::log10(static_cast<double>(candidates)));
}

}  // namespace sealite

#pragma once

#include <cstddef>

#include "watermark/message.h"

namespace sealite::watermark {

/// How well read bits agree with an expected message.
struct Agreement {
  std::size_t matches = 0;
  std::size_t bits = 0;
  /// Probability that an unmarked picture agrees at least as well: P(X >= matches), X ~ Binomial(bits, 1/2).
  double p_value = 1;
  double log10_p_value = 0;  // also where p_value underflows
};

/// Compares equally long messages; throws kInternal otherwise.
Agreement compare(const Bits& read, const Bits& expected);

/// log10 of the smallest p-value that a picture can get with `candidates` messages of `bits` bits: all bits
/// agree.
double log10_least_p_value(std::size_t bits, std::size_t candidates);

/// log10 of P(X >= matches), X ~ Binomial(bits, 1/2).
double log10_binomial_tail(std::size_t matches, std::size_t bits);

}  // namespace sealite::watermark

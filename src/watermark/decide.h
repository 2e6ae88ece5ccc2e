#pragma once

#include <cstddef>

#include "sealite/detector.h"
#include "watermark/message.h"

namespace sealite::watermark {

/// Compares equally long messages; throws kInternal otherwise.
MessageMatch compare(const Bits& read, const Bits& expected);

/// log10 of P(X >= matches), X ~ Binomial(bits, 1/2).
double log10_binomial_tail(std::size_t matches, std::size_t bits);

}  // namespace sealite::watermark

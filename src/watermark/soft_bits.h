#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sealite::watermark {

/// The largest weight of a bit; the sum over 1024 bits stays below 2^15.
inline constexpr int kLargestWeight = 31;

/// Signed weights [bits] of `logits` [1 + bits]: negative where the bit reads 1, the magnitude says how sure
/// it is. Logits have no known scale: the median magnitude becomes 8. NaN has no weight, infinity the
/// largest.
std::vector<std::int16_t> weigh_logits(std::span<const float> logits);

/// log10 of P(penalty or less), where each bit adds its weight with probability 1/2, by itself: how probably
/// fair coin flips agree with a given message at least as well. Exact (all sums are counted), not an
/// approximation. With equal weights it is the binomial tail. At most 1024 weights.
double log10_penalty_tail(std::span<const std::int16_t> weights, std::int32_t penalty);

}  // namespace sealite::watermark

#pragma once

#include <vector>

#include "sealite/bench.h"

namespace sealite::measure {

/// The value below which the part `fraction` of the sorted values lies, interpolated; 0 for no values.
double quantile(const std::vector<double>& sorted, double fraction);

/// The narrowest [x_(k), x_(n+1-k)] of `sorted` that encloses the median of what they were drawn from with a
/// probability of 95 % or more; the whole range, and its lower coverage, below 6 values. All 0 for none.
MedianInterval median_interval(const std::vector<double>& sorted);

/// All 0 for no values.
RunTimes summarize(std::vector<double> seconds);

/// `other[i] / base[i]`, pair by pair, and other's median / base's.
PairedRatio compare(const std::vector<double>& base, const std::vector<double>& other);

}  // namespace sealite::measure

#include "measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sealite::measure {
namespace {

constexpr double kConfidence = 0.95;

/// P(X = k) for X ~ Binomial(n, 1/2), by logarithms: 2^-n itself underflows at 1075.
double coin_probability(std::size_t n, std::size_t k) {
  const auto trials = static_cast<double>(n);
  const auto heads = static_cast<double>(k);
  return std::exp(std::lgamma(trials + 1) - std::lgamma(heads + 1) - std::lgamma(trials - heads + 1) -
                  trials * std::log(2.0));
}

}  // namespace

double quantile(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

// The median lies below x_(k) when fewer than k of the n values fall below it, each with probability 1/2.
MedianInterval median_interval(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size();
  if (n == 0) return {};
  double outside = 2 * coin_probability(n, 0);
  std::size_t cut = 0;  // values left out at each end
  while (2 * (cut + 1) < n) {
    const double more = outside + 2 * coin_probability(n, cut + 1);
    if (more > 1 - kConfidence) break;
    outside = more;
    ++cut;
  }
  return {sorted[cut], sorted[n - 1 - cut], std::max(0.0, 1 - outside)};
}

RunTimes summarize(std::vector<double> seconds) {
  RunTimes times;
  if (seconds.empty()) return times;
  std::ranges::sort(seconds);
  const auto count = static_cast<double>(seconds.size());
  times.runs = seconds.size();
  times.minimum = seconds.front();
  times.median = quantile(seconds, 0.5);
  times.maximum = seconds.back();
  times.mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / count;
  double squares = 0;
  for (const double value : seconds) squares += (value - times.mean) * (value - times.mean);
  if (seconds.size() > 1) times.deviation = std::sqrt(squares / (count - 1));
  times.median_interval = median_interval(seconds);
  return times;
}

PairedRatio compare(const std::vector<double>& base, const std::vector<double>& other) {
  PairedRatio ratio;
  ratio.pairs = std::min(base.size(), other.size());
  if (ratio.pairs == 0) return ratio;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ratio.pairs; ++i) ratios.push_back(other[i] / base[i]);
  std::ranges::sort(ratios);
  ratio.of_medians = summarize(other).median / summarize(base).median;
  ratio.median = quantile(ratios, 0.5);
  ratio.lower_quartile = quantile(ratios, 0.25);
  ratio.upper_quartile = quantile(ratios, 0.75);
  ratio.median_interval = median_interval(ratios);
  return ratio;
}

}  // namespace sealite::measure

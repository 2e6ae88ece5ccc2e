#include "verify/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sealite::verify {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Totals {
  double difference = 0;  // squared
  double norm = 0;        // squared
  double largest = 0;
};

Totals add_up(const Examination& examination, const std::vector<Expected>& expected) {
  Totals totals;
  for (const auto& [picture, values] : expected) {
    const std::vector<float>& found = examination.outputs[picture];
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto wanted = static_cast<double>(values[i]);
      const double difference = static_cast<double>(found[i]) - wanted;
      totals.difference += difference * difference;
      totals.norm += wanted * wanted;
      totals.largest = std::max(totals.largest, std::isnan(difference) ? kInfinity : std::abs(difference));
    }
  }
  return totals;
}

void keep_outputs(Examination& examination, const std::vector<Expected>& expected) {
  std::vector<ComparedOutput>& outputs = examination.report.outputs;
  if (!outputs.empty()) return;
  for (const auto& [picture, values] : expected)
    outputs.push_back({examination.pictures[picture].name, values, examination.outputs[picture]});
}

}  // namespace

double relative_error(std::span<const float> wanted, std::span<const float> found) {
  if (wanted.size() != found.size()) return kInfinity;
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double delta = static_cast<double>(wanted[i]) - static_cast<double>(found[i]);
    difference += delta * delta;
    norm += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
  }
  if (difference == 0) return 0;
  const double error = std::sqrt(difference / norm);
  return std::isnan(error) ? kInfinity : error;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return kInfinity;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    largest = std::isnan(difference) ? kInfinity : std::max(largest, difference);
  }
  return largest;
}

double root_mean_square(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
  return values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
}

bool check_numbers(Examination& examination, const std::vector<Expected>& expected,
                   const ComparedWith& original) {
  keep_outputs(examination, expected);
  const KindNames& names = examination.kind.names();
  for (const auto& [picture, values] : expected) {
    const std::vector<float>& found = examination.outputs[picture];
    if (found.size() == values.size()) continue;
    add_check(examination.report, original.numbers,
              fmt::format("The model's {} have {} values, those of {} {}.", names.output, found.size(),
                          original.words, values.size()))
        .outcome = CheckOutcome::kFail;
    return false;
  }
  const Totals totals = add_up(examination, expected);
  const double relative = totals.difference == 0 ? 0 : std::sqrt(totals.difference / totals.norm);
  const double snr = relative == 0 ? kInfinity : -20 * std::log10(relative);
  const bool numbers =
      add_check(
          examination.report, original.numbers,
          fmt::format("{} differ by {:.2g} of their size ({:.1f} dB below the signal), at most by {:.2g}.",
                      names.outputs, relative, snr, totals.largest),
          {{"relative error", relative, "", examination.limits.relative_error, {}},
           {"SNR", snr, "dB", {}, {}},
           {"largest difference", totals.largest, "", {}, {}}})
          .outcome == CheckOutcome::kPass;
  return examination.kind.check_purpose(examination, expected, original) && numbers;
}

}  // namespace sealite::verify

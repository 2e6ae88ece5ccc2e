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
  std::size_t bits = 0;
  std::size_t flipped = 0;
  double largest_flip = 0;  // of the original's logits whose bit flipped
};

Totals add_up(const std::vector<ComparedLogits>& compared) {
  Totals totals;
  for (const ComparedLogits& pair : compared) {
    for (std::size_t i = 0; i < pair.reference.size(); ++i) {
      const auto wanted = static_cast<double>(pair.reference[i]);
      const double difference = static_cast<double>(pair.found[i]) - wanted;
      totals.difference += difference * difference;
      totals.norm += wanted * wanted;
      totals.largest = std::max(totals.largest, std::isnan(difference) ? kInfinity : std::abs(difference));
      if (i == 0) continue;  // the unused detection bit
      ++totals.bits;
      if ((wanted > 0) == (pair.found[i] > 0)) continue;
      ++totals.flipped;
      totals.largest_flip = std::max(totals.largest_flip, std::abs(wanted));
    }
  }
  return totals;
}

bool same_sizes(const std::vector<ComparedLogits>& compared) {
  return std::ranges::all_of(
      compared, [](const ComparedLogits& pair) { return pair.reference.size() == pair.found.size(); });
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

bool check_numbers(Examination& examination, const std::vector<ComparedLogits>& compared,
                   const std::string& name, const std::string& original) {
  VerifyReport& report = examination.report;
  const Limits& limits = examination.limits;
  if (!same_sizes(compared)) {
    add_check(report, name + "-numbers", "Numbers against " + original,
              fmt::format("The model gives {} logits, {} gives {}.", compared[0].found.size(), original,
                          compared[0].reference.size()))
        .outcome = CheckOutcome::kFail;
    return false;
  }
  const Totals totals = add_up(compared);
  const double relative = totals.difference == 0 ? 0 : std::sqrt(totals.difference / totals.norm);
  const double snr = relative == 0 ? kInfinity : -20 * std::log10(relative);
  const bool numbers =
      add_check(report, name + "-numbers", "Numbers against " + original,
                fmt::format(
                    "Logits differ by {:.2g} of their size ({:.1f} dB below the signal), at most by {:.2g}.",
                    relative, snr, totals.largest),
                {{"relative error", relative, "", limits.relative_error, {}},
                 {"logit SNR", snr, "dB", {}, {}},
                 {"largest difference", totals.largest, "", {}, {}}})
          .outcome == CheckOutcome::kPass;
  const double agreement = 1 - static_cast<double>(totals.flipped) / static_cast<double>(totals.bits);
  const double typical = std::sqrt(totals.norm / static_cast<double>(totals.bits + compared.size()));
  const std::string flips =
      totals.flipped == 0
          ? std::string("no bit flipped")
          : fmt::format("{} flipped; the largest logit that did is {:.2g}, a typical one {:.2g}",
                        totals.flipped, totals.largest_flip, typical);
  const bool bits =
      add_check(report, name + "-bits", "Bits against " + original,
                fmt::format("{} of {} bits agree: {}.", totals.bits - totals.flipped, totals.bits, flips),
                {{"bit agreement", 100 * agreement, "%", {}, 100 * limits.bit_agreement},
                 {"largest flipped logit", totals.largest_flip, "", {}, {}},
                 {"typical logit (rms)", typical, "", {}, {}}})
          .outcome == CheckOutcome::kPass;
  return numbers && bits;
}

}  // namespace sealite::verify

#include "cli/verdict_table.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/plain_text.h"
#include "cli/probability_text.h"

namespace sealite::cli {
namespace {

// A spreadsheet would take what begins so for a formula.
std::string csv_field(const std::string& text) {
  std::string field = text;
  if (!text.empty() && std::string_view("=+-@").find(text[0]) != std::string_view::npos && text != "-")
    field.insert(0, "'");
  if (field.find_first_of(",\"'\n\r") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void print_verdict(const VerdictRow& row) {
  if (!row.verdict) return;
  print("  verdict: {}{}\n", picture_verdict_name(*row.verdict),
        row.verdict == PictureVerdict::kMarked      ? " with " + row.with
        : row.verdict == PictureVerdict::kNotMarked ? ""
                                                    : " at this rate");
}

void print_csv_head() {
  print("picture,verdict,marked_with,message,matches,log10_p_value,error\n");
}

void print_csv_row(const VerdictRow& row) {
  const bool read = row.error.empty();
  print("{},{},{},{},{},{},{}\n", csv_field(row.picture),
        row.verdict ? picture_verdict_name(*row.verdict) : (read ? "" : "unreadable"), csv_field(row.with),
        row.message, row.matches ? fmt::format("{}", *row.matches) : "",
        row.log10_p_value ? fmt::format("{:.4g}", *row.log10_p_value) : "", csv_field(row.error));
}

void VerdictSummary::add(const VerdictRow& row) {
  if (!row.error.empty()) ++unreadable_;
  if (row.verdict) ++counts_[static_cast<std::size_t>(*row.verdict)];
}

std::string VerdictSummary::line(double rate) const {
  const std::size_t read = counts_[0] + counts_[1] + counts_[2];
  const double expected = std::log10(rate) + std::log10(static_cast<double>(read == 0 ? 1 : read));
  return fmt::format(
      "{} picture{}: {} marked, {} not marked, {} cannot tell, {} unreadable; expected false positives over "
      "the whole run: {} at most ({} x {})",
      read + unreadable_, read + unreadable_ == 1 ? "" : "s", counts_[0], counts_[1], counts_[2], unreadable_,
      read == 0      ? "0"
      : expected > 0 ? fmt::format("{:.2g}", std::pow(10.0, expected))
                     : probability_text(expected),
      read, probability_text(std::log10(rate)));
}

}  // namespace sealite::cli

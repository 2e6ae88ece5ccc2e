#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "sealite/picture_verdict.h"

namespace sealite::cli {

/// One picture's row of the table that `detect --fpr` makes.
struct VerdictRow {
  std::string picture;
  std::optional<PictureVerdict> verdict;  ///< None: unreadable, or no rate was given.
  std::string with;                       ///< The message, id, text or candidate that it is marked with.
  std::string message;                    ///< That was read, hexadecimal.
  std::optional<std::size_t> matches;     ///< With what was compared.
  std::optional<double> log10_p_value;    ///< Of that, or of the id or text that was read.
  std::string error;
};

/// "  verdict: marked with …", if there is one.
void print_verdict(const VerdictRow& row);

/// The columns' names, and one row, as RFC 4180 has them.
void print_csv_head();
void print_csv_row(const VerdictRow& row);

/// Counts rows for the line at the end.
class VerdictSummary {
 public:
  void add(const VerdictRow& row);
  /// "500 pictures: 260 marked, 230 not marked, 3 cannot tell, 7 unreadable; of 493 unmarked ones 4.9e-07
  /// would be called marked by chance".
  std::string line(double rate) const;

 private:
  std::size_t counts_[3] = {};
  std::size_t unreadable_ = 0;
};

}  // namespace sealite::cli

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sealite/context.h"
#include "sealite/detector.h"

namespace sealite {

/// Where a candidate stands in its list.
struct CandidateLine {
  std::size_t line = 0;  ///< From 1.
  std::string label;     ///< What the list says behind the message; may be empty.
};

/// A line of a list whose message an earlier one has too.
struct RepeatedCandidate {
  CandidateLine first;
  CandidateLine again;
};

/// The candidate that agrees best with a detection.
struct CandidateMatch {
  MessageMatch match;               ///< Of this candidate by itself.
  std::string message;              ///< Hexadecimal.
  std::string label;                ///< What the list says behind the message; may be empty.
  std::size_t line = 0;             ///< Where it stands in the list, from 1.
  std::size_t candidates = 0;       ///< How many different ones there are.
  double p_value = 1;               ///< match.p_value times the number of candidates, at most 1.
  double log10_p_value = 0;         ///< Also where p_value underflows.
  std::vector<CandidateLine> also;  ///< The later lines with the same message.
};

/// A list of messages that a picture may carry. Movable.
class Candidates {
 public:
  /// Reads a text file or a pipe: on each line a message (as `message_hex` takes it; a text with spaces in it
  /// as text:"SOME WORDS") and, behind white space, a label. Empty lines and '#' comments are skipped. Throws
  /// kNotFound, kIo, and kMalformed with the line's number.
  /// `context` can cancel the reading of a pipe.
  Candidates(const std::filesystem::path& file, std::size_t bits, const std::string& key = {},
             const Context& context = {});
  ~Candidates();
  Candidates(Candidates&&) noexcept;
  Candidates& operator=(Candidates&&) noexcept;
  Candidates(const Candidates&) = delete;
  Candidates& operator=(const Candidates&) = delete;

  /// How many different messages there are.
  std::size_t size() const;
  /// The lines that repeat a message, in the list's order.
  std::vector<RepeatedCandidate> repeats() const;

  /// The best match of a detection with the same number of bits.
  CandidateMatch best(const Detection& detection) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// log10 of the smallest p-value that a picture can get with so many candidates of so many bits: all bits
/// agree.
double log10_least_p_value(std::size_t bits, std::size_t candidates);

}  // namespace sealite

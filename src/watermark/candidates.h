#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "watermark/decide.h"
#include "watermark/payload.h"

namespace sealite::watermark {

/// The candidate that agrees best.
struct CandidateMatch {
  Agreement agreement;   ///< Of this candidate by itself.
  std::size_t line = 0;  ///< Where it stands in the file, from 1; the first of equally good ones.
  std::string label;     ///< What the file says behind it.
  Bits message;
  std::size_t candidates = 0;
  double p_value = 1;        ///< The agreement's, times the number of candidates, at most 1.
  double log10_p_value = 0;  ///< Likewise; also where p_value underflows.
};

/// A list of messages that a picture may carry, e.g. one for each customer. In memory a candidate takes an
/// eighth of a byte for each bit, 8 bytes and its label.
class Candidates {
 public:
  /// Reads a list: on each line a message (hexadecimal, id:N, text:WORD or text:"SOME WORDS") and, behind
  /// white space, a label. Empty lines and what follows '#' at a line's start or in a label's place are
  /// skipped; lines may end in CR LF. A pipe will do. Throws kNotFound, kIo, and kMalformed with the line's
  /// number.
  Candidates(const std::filesystem::path& file, const PayloadCodec& codec);

  std::size_t size() const { return lines_.size(); }

  /// The best match of `read` [bits].
  CandidateMatch best(const Bits& read) const;

 private:
  void add_line(std::string_view text, std::uint32_t line, const PayloadCodec& codec);

  std::size_t bits_;
  std::size_t words_;                      // for each message
  std::vector<std::uint64_t> packed_;      // [size()][words_]
  std::vector<std::uint32_t> lines_;       // [size()]
  std::vector<std::uint32_t> label_ends_;  // [size()], in `labels_`
  std::string labels_;
};

}  // namespace sealite::watermark

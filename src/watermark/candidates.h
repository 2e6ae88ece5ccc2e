#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sealite/candidates.h"
#include "watermark/decide.h"
#include "watermark/payload.h"

namespace sealite::watermark {

/// A list of messages that a picture may carry, e.g. one for each customer. In memory a candidate takes an
/// eighth of a byte for each bit, 8 bytes and its label. A message that stands in it several times is one
/// candidate.
class CandidateList {
 public:
  /// Reads a list: on each line a message (hexadecimal, id:N, text:WORD or text:"SOME WORDS") and, behind
  /// white space, a label. Empty lines and what follows '#' at a line's start or in a label's place are
  /// skipped; lines may end in CR LF. A pipe will do. Throws kNotFound, kIo, and kMalformed with the line's
  /// number.
  CandidateList(const std::filesystem::path& file, const PayloadCodec& codec);

  /// How many different messages there are.
  std::size_t size() const { return lines_.size() - repeats_.size(); }
  /// Lines whose message stands on an earlier one, in the file's order.
  std::vector<RepeatedCandidate> repeats() const;

  /// The best match of `read` [bits].
  CandidateMatch best(const Bits& read) const;

 private:
  void add_line(std::string_view text, std::uint32_t line, const PayloadCodec& codec);
  void find_repeats();
  CandidateLine line_of(std::size_t index) const;

  std::size_t bits_;
  std::size_t words_;                      // for each message
  std::vector<std::uint64_t> packed_;      // [size()][words_]
  std::vector<std::uint32_t> lines_;       // [size()]
  std::vector<std::uint32_t> label_ends_;  // [size()], in `labels_`
  std::string labels_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> repeats_;  // an index, and that of its first equal
};

}  // namespace sealite::watermark

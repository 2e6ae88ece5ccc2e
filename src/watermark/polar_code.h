#pragma once

#include <cstddef>
#include <vector>

#include "watermark/message.h"

namespace sealite::watermark {

/// A punctured polar code, byte-exact as docs/payload.md defines it: any length up to 2^20, any number of
/// information bits up to it. Source of the construction: Arikan 2009 (the recursion of erasure
/// probabilities), run on the punctured code at the erasure probability 1 - rate.
class PolarCode {
 public:
  /// Throws kInternal unless 1 <= information_bits <= length <= 2^20.
  PolarCode(std::size_t length, std::size_t information_bits);

  std::size_t length() const { return length_; }
  /// The power of two N that the code is punctured from: its first N - length() bits are not sent.
  std::size_t mother_length() const { return is_information_.size(); }
  std::size_t information_bits() const { return positions_.size(); }
  /// [N]: 1 where the input bit carries information, 0 where it is frozen to 0.
  const Bits& is_information() const { return is_information_; }

  /// Code word [length()] of `information` [information_bits()].
  Bits encode(const Bits& information) const;
  /// The information bits of a mother code word [N].
  Bits information_of(Bits mother_word) const;

 private:
  std::size_t length_;
  Bits is_information_;
  std::vector<std::size_t> positions_;  // of the information bits, rising
};

}  // namespace sealite::watermark

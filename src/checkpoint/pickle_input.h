#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "checkpoint/pickle_value.h"

namespace sealite::checkpoint {

/// Reads a pickle from front to back: opcodes, their arguments, and the values that stand in it as they are.
/// Throws kMalformed.
class PickleInput {
 public:
  explicit PickleInput(ByteView bytes) : bytes_(bytes) {}

  /// The next opcode, whose place errors name.
  std::uint8_t take_opcode();
  std::size_t position() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }

  ByteView take(std::uint64_t size);
  template <typename T>
  T take_value() {
    return load<T>(take(sizeof(T)));
  }
  std::uint8_t take_byte() { return take_value<std::uint8_t>(); }
  /// Up to the end of the line, which is taken and not given.
  std::string_view take_line();
  /// A line with a number that is not negative.
  std::uint32_t take_index_line();

  /// The number that `opcode` brings with it (any protocol's), nothing if it is no such opcode.
  std::optional<Node> take_number(std::uint8_t opcode);
  /// The same for texts and bytes; `texts` keeps those that do not stand in the pickle as they are.
  std::optional<Node> take_text(std::uint8_t opcode, std::deque<std::string>& texts);

  [[noreturn]] void fail_pickle(std::string_view what) const;

 private:
  Node integer_line();
  Node long_line();
  Node float_line();
  Node text_node(ByteView bytes) const;

  ByteView bytes_;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
};

}  // namespace sealite::checkpoint

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sealite::checkpoint {

/// A Python value that any loader can read without running code: what `args` and the sections of a new
/// checkpoint are made of.
struct PlainValue {
  enum class Kind : std::uint8_t { kNone, kBool, kInt, kFloat, kText, kTuple, kList, kDict, kTensor };

  Kind kind = Kind::kNone;
  std::int64_t integer = 0;  ///< kInt; kBool: 0 or 1; kTensor: index into NewCheckpoint::section_tensors.
  double real = 0;           ///< kFloat
  std::string text{};        ///< kText, UTF-8
  std::vector<PlainValue> items{};  ///< kTuple, kList; kDict: key, value, key, value, …

  static PlainValue of_int(std::int64_t value) { return {.kind = Kind::kInt, .integer = value}; }
  static PlainValue of_bool(bool value) { return {.kind = Kind::kBool, .integer = value ? 1 : 0}; }
  static PlainValue of_float(double value) { return {.kind = Kind::kFloat, .real = value}; }
  static PlainValue of_text(std::string value) { return {.kind = Kind::kText, .text = std::move(value)}; }
  static PlainValue of_tensor(std::size_t index) {
    return {.kind = Kind::kTensor, .integer = static_cast<std::int64_t>(index)};
  }
  /// Adds an entry to a dict.
  void set(std::string key, PlainValue value) {
    items.push_back(of_text(std::move(key)));
    items.push_back(std::move(value));
  }

  friend bool operator==(const PlainValue&, const PlainValue&) = default;
};

}  // namespace sealite::checkpoint

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

// What goes from C to C++ and back: structs that may be older or newer than this library, texts,
// arrays, buffers.

namespace sealite::c {

/// No struct of this interface will ever be larger: a larger `struct_size` is no size.
inline constexpr std::size_t kLargestStruct = 1024;

template <typename T>
void require(const T* given, const char* name) {
  if (given == nullptr) fail(ErrorCode::kUsage, "'{}' is a null pointer", name);
}

/// What this library knows of a caller's struct. Throws kUsage for a size that none has had (each struct has
/// had one only so far), and if the caller asks, by bytes behind it, for what only a later library knows.
template <typename T>
T known(const T* given, const char* name) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  require(given, name);
  const std::size_t size = given->struct_size;
  if (size < sizeof(T) || size > kLargestStruct)
    fail(ErrorCode::kUsage, "'{}': struct_size is {}, expected sizeof, which is {}", name, size, sizeof(T));
  const auto bytes = std::span(reinterpret_cast<const unsigned char*>(given), size).subspan(sizeof(T));
  if (std::ranges::any_of(bytes, [](unsigned char byte) { return byte != 0; }))
    fail(ErrorCode::kUsage, "'{}' asks for what this version of Sealite does not know", name);
  T value{};
  std::memcpy(&value, given, sizeof(T));
  return value;
}

/// The same for options, which may be absent: all zero.
template <typename T>
T known_options(const T* given, const char* name) {
  return given == nullptr ? T{} : known(given, name);
}

/// Writes what this library knows of a struct back; what is behind it stays.
template <typename T>
void put_known(const T& value, T* taken) {
  std::memcpy(taken, &value, sizeof(T));
}

inline std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

/// A text that has to be there.
inline std::string required_text(const char* text, const char* name) {
  require(text, name);
  return text;
}

template <typename T>
std::span<const T> array_of(const T* first, std::size_t count, const char* name) {
  if (count > 0) require(first, name);
  return {first, count};
}

/// An enumeration's value: `choice`, if it is below `count`.
template <typename Enum>
Enum choice_of(std::int32_t choice, std::int32_t count, const char* name) {
  if (choice < 0 || choice >= count)
    fail(ErrorCode::kUsage, "'{}' is {}, expected 0 to {}", name, choice, count - 1);
  return static_cast<Enum>(choice);
}

inline int number_of(std::int64_t number, const char* name) {
  if (number < 0 || number > std::numeric_limits<int>::max())
    fail(ErrorCode::kUsage, "'{}' is {}, expected 0 or more", name, number);
  return static_cast<int>(number);
}

/// Whether a caller's buffer is to be filled: not if it is asked for the amount alone. Throws kUsage if it is
/// too small.
template <typename T>
bool is_wanted(const T* buffer, std::size_t capacity, std::size_t needed, const char* name) {
  if (buffer == nullptr && capacity == 0) return false;
  require(buffer, name);
  if (capacity < needed)
    fail(ErrorCode::kUsage, "'{}' has room for {}, {} are needed", name, capacity, needed);
  return true;
}

/// Copies a text and its NUL, if it is wanted.
inline void put_text(std::string_view text, char* buffer, std::size_t capacity, const char* name) {
  if (!is_wanted(buffer, capacity, text.size() + 1, name)) return;
  std::copy(text.begin(), text.end(), buffer);
  buffer[text.size()] = '\0';
}

/// Texts whose amount is asked for by a pointer of its own.
inline void put_text(std::string_view text, char* buffer, std::size_t capacity, std::size_t* needed) {
  require(needed, "needed");
  *needed = text.size() + 1;
  put_text(text, buffer, capacity, "buffer");
}

}  // namespace sealite::c

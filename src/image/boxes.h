#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>

namespace sealite::image {

/// The contents of a box of ISO base media (HEIF, JPEG 2000): where they begin and end in the file.
struct Box {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The bytes, 8 at most, as a big-endian number.
inline std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

/// The same of at most 8 bytes of a file; 0 beyond its end.
std::uint64_t read_number(std::istream& file, std::uint64_t offset, unsigned bytes);

/// As many bytes of a number, the highest first.
std::string to_big_endian(std::uint64_t value, unsigned bytes);
/// The lowest first.
std::string to_little_endian(std::uint64_t value, unsigned bytes);

/// The first box of this kind (four letters) among those in `inside`; a few thousand are looked at.
std::optional<Box> find_box(std::istream& file, const Box& inside, std::string_view kind);

/// A box in a box in a box …: "moov/trak/mdia".
std::optional<Box> find_box_path(std::istream& file, const Box& inside, std::string_view path);

}  // namespace sealite::image

#include "image/boxes.h"

#include <algorithm>
#include <array>

namespace sealite::image {

std::string to_big_endian(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = bytes; i > 0; --i) text.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xFFU));
  return text;
}

std::string to_little_endian(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  return text;
}

std::uint64_t read_number(std::istream& file, std::uint64_t offset, unsigned bytes) {
  std::array<char, 8> buffer = {};
  if (offset > (std::uint64_t{1} << 62U)) return 0;
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(buffer.data(), bytes);
  if (file.gcount() != static_cast<std::streamsize>(bytes)) return 0;
  return read_big_endian({buffer.data(), bytes});
}

std::optional<Box> find_box(std::istream& file, const Box& inside, std::string_view kind) {
  constexpr std::uint64_t kHead = 8;
  constexpr int kMostBoxes = 4096;
  const std::uint64_t wanted = read_big_endian(kind);
  std::uint64_t at = inside.begin;
  for (int i = 0; i < kMostBoxes && at < inside.end && inside.end - at >= kHead; ++i) {
    std::uint64_t size = read_number(file, at, 4);
    const std::uint64_t found = read_number(file, at + 4, 4);
    std::uint64_t head = kHead;
    if (size == 1) {  // a longer size follows
      size = read_number(file, at + kHead, 8);
      head += 8;
    }
    if (size == 0) size = inside.end - at;
    if (size < head || size > inside.end - at) return std::nullopt;
    if (found == wanted) return Box{at + head, at + size};
    at += size;
  }
  return std::nullopt;
}

std::optional<Box> find_box_path(std::istream& file, const Box& inside, std::string_view path) {
  Box box = inside;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::optional<Box> found = find_box(file, box, path.substr(0, slash));
    if (!found) return std::nullopt;
    box = *found;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return box;
}

}  // namespace sealite::image

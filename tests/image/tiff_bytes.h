#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sealite::image {

/// `value` in `bytes` bytes, the lowest first.
inline std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  return text;
}

/// A little-endian TIFF of one strip, built field by field; fields hold 32-bit numbers.
struct TiffBytes {
  std::map<unsigned, std::vector<std::uint32_t>> fields;
  std::string samples;

  TiffBytes(std::uint32_t width, std::uint32_t height, std::uint32_t bits, std::uint32_t photometric,
            std::uint32_t bands, std::string data)
      : samples(std::move(data)) {
    fields = {{256, {width}}, {257, {height}},      {258, std::vector<std::uint32_t>(bands, bits)},
              {259, {1}},     {262, {photometric}}, {273, {0}},
              {277, {bands}}, {278, {height}},      {279, {static_cast<std::uint32_t>(samples.size())}}};
  }

  /// The directory at `at`, its longer fields behind it, and `more` bytes behind those at `offset_of_more`.
  std::string directory(std::uint32_t at, const std::string& more, std::uint32_t* offset_of_more) const {
    std::uint32_t behind = at + 2 + 12 * static_cast<std::uint32_t>(fields.size()) + 4;
    for (const auto& [tag, values] : fields) {
      if (values.size() > 1) behind += 4 * static_cast<std::uint32_t>(values.size());
    }
    *offset_of_more = behind;
    std::string entries = little_endian(fields.size(), 2);
    std::string longer;
    std::uint32_t place = at + 2 + 12 * static_cast<std::uint32_t>(fields.size()) + 4;
    for (const auto& [tag, values] : fields) {
      entries += little_endian(tag, 2) + little_endian(4, 2) + little_endian(values.size(), 4);
      if (values.size() == 1) {
        entries += little_endian(tag == 273 ? behind : values[0], 4);
        continue;
      }
      entries += little_endian(place + longer.size(), 4);
      for (const std::uint32_t value : values) longer += little_endian(value, 4);
    }
    return entries + little_endian(0, 4) + longer + more;
  }

  /// The file.
  std::string bytes() const {
    std::uint32_t ignored = 0;
    return std::string("II*\0", 4) + little_endian(8, 4) + directory(8, samples, &ignored);
  }
};

}  // namespace sealite::image

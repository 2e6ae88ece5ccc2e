#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace sealite {

/// An array of a .npy fixture; float16 and uint8 are widened to float.
struct Npy {
  Shape shape;
  std::vector<float> values;
};

/// Reads a C-ordered little-endian float32, float16 or uint8 .npy file. Throws std::runtime_error.
inline Npy read_npy(const std::filesystem::path& path) {
  static_assert(std::endian::native == std::endian::little);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto byte = [&text](std::size_t i) {
    return static_cast<std::size_t>(static_cast<std::uint8_t>(text.at(i)));
  };
  if (text.size() < 12 || text.compare(0, 6, "\x93NUMPY") != 0)
    throw std::runtime_error(path.string() + ": no .npy");
  const bool first_version = byte(6) == 1;
  const std::size_t start = first_version ? 10 : 12;
  const std::size_t header_size =
      byte(8) + (byte(9) << 8) + (first_version ? 0 : (byte(10) << 16) + (byte(11) << 24));
  const std::string header = text.substr(start, header_size);
  const auto data = start + header_size;

  std::smatch type;
  std::smatch dims;
  if (!std::regex_search(header, type, std::regex("'descr': '([^']+)'")) ||
      !std::regex_search(header, dims, std::regex("'shape': \\(([^)]*)\\)")) ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error(path.string() + ": unexpected header " + header);
  }
  Npy array;
  const std::string list = dims[1];
  const std::regex number("[0-9]+");
  for (std::sregex_iterator i(list.begin(), list.end(), number), end; i != end; ++i) {
    array.shape.push_back(std::stoll(i->str()));
  }
  const std::size_t count = element_count(array.shape).value();
  const std::size_t width = type[1] == "<f4" ? 4 : type[1] == "<f2" ? 2 : type[1] == "|u1" ? 1 : 0;
  if (width == 0 || text.size() - data != count * width) {
    throw std::runtime_error(path.string() + ": unexpected type or size: " + header);
  }
  array.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* from = text.data() + data + i * width;
    if (width == 4) {
      std::memcpy(&array.values[i], from, 4);
    } else if (width == 2) {
      std::uint16_t half = 0;
      std::memcpy(&half, from, 2);
      array.values[i] = half_to_float(half);
    } else {
      array.values[i] = static_cast<float>(static_cast<std::uint8_t>(*from));
    }
  }
  return array;
}

}  // namespace sealite

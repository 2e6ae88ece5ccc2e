#pragma once

#include <array>
#include <cstddef>
#include <istream>
#include <optional>
#include <string>

namespace sealite::image {

inline constexpr unsigned kJpegScan = 0xDA;
inline constexpr unsigned kJpegEnd = 0xD9;

/// A JPEG file's markers, read block by block as libjpeg does: bytes between them are skipped.
class JpegMarkers {
 public:
  explicit JpegMarkers(std::istream& file) : file_(file) {}

  /// The next marker, past whatever is before it: stuffed zeros and restarts are part of a scan's data.
  std::optional<unsigned> next_marker();
  /// What a marker's length says follows; as much of it as there is.
  std::string take_segment();

 private:
  bool fill();
  std::optional<unsigned> byte();
  /// Behind the next 0xFF.
  bool find_ff();

  std::istream& file_;
  std::array<char, std::size_t{1} << 16U> block_ = {};
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace sealite::image

#include "image/jpeg_scans.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace sealite::image {
namespace {

constexpr unsigned kStartOfScan = 0xDA;
constexpr unsigned kEndOfImage = 0xD9;

/// A JPEG file's bytes, block by block.
class MarkerReader {
 public:
  explicit MarkerReader(std::istream& file) : file_(file) {}

  /// The next marker, past whatever is before it: stuffed zeros and restarts are part of a scan's data.
  std::optional<unsigned> next_marker() {
    while (find_ff()) {
      std::optional<unsigned> code = byte();
      while (code == 0xFFU) code = byte();
      if (!code) return std::nullopt;
      const bool data = *code == 0 || *code == 1 || (*code >= 0xD0 && *code <= 0xD8);
      if (!data) return code;
    }
    return std::nullopt;
  }

  /// What a marker's length says follows; as much of it as there is.
  std::string take_segment() {
    const std::optional<unsigned> high = byte();
    const std::optional<unsigned> low = byte();
    if (!high || !low) return {};
    std::size_t left = *high << 8U | *low;
    left -= std::min<std::size_t>(left, 2);
    std::string segment;
    while (left > 0 && (used_ < filled_ || fill())) {
      const std::size_t count = std::min(left, filled_ - used_);
      segment.append(block_.data() + used_, count);
      used_ += count;
      left -= count;
    }
    return segment;
  }

 private:
  bool fill() {
    file_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    filled_ = static_cast<std::size_t>(file_.gcount());
    used_ = 0;
    return filled_ > 0;
  }
  std::optional<unsigned> byte() {
    if (used_ == filled_ && !fill()) return std::nullopt;
    return static_cast<unsigned char>(block_[used_++]);
  }
  /// Behind the next 0xFF.
  bool find_ff() {
    while (used_ < filled_ || fill()) {
      const void* found = std::memchr(block_.data() + used_, 0xFF, filled_ - used_);
      if (found == nullptr) {
        used_ = filled_;
        continue;
      }
      used_ = static_cast<std::size_t>(static_cast<const char*>(found) - block_.data()) + 1;
      return true;
    }
    return false;
  }

  std::istream& file_;
  std::array<char, std::size_t{1} << 16U> block_ = {};
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
};

bool is_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool is_progressive(unsigned marker) {
  return marker % 4 == 2;
}

/// A frame header's components.
struct Frame {
  std::size_t components = 0;
  double samples_per_pixel = 0;
};

/// ITU T.81, B.2.2: precision, height, width, number of components; of each its name, factors and table.
Frame read_frame(std::string_view segment) {
  constexpr std::size_t kHead = 6;
  constexpr std::size_t kComponent = 3;
  Frame frame;
  if (segment.size() < kHead) return frame;
  frame.components = static_cast<unsigned char>(segment[kHead - 1]);
  unsigned samples = 0;
  unsigned widest = 1;
  unsigned highest = 1;
  for (std::size_t i = 0; i < frame.components && kHead + kComponent * (i + 1) <= segment.size(); ++i) {
    const auto factors = static_cast<unsigned char>(segment[kHead + kComponent * i + 1]);
    samples += (factors >> 4U) * (factors & 15U);
    widest = std::max<unsigned>(widest, factors >> 4U);
    highest = std::max<unsigned>(highest, factors & 15U);
  }
  frame.samples_per_pixel = static_cast<double>(samples) / (widest * highest);
  return frame;
}

}  // namespace

JpegScans count_jpeg_scans(std::istream& file) {
  constexpr double kCoefficient = 2;  // bytes: libjpeg's JCOEF
  MarkerReader reader(file);
  JpegScans found;
  Frame frame;
  bool progressive = false;
  while (const auto marker = reader.next_marker()) {
    if (*marker == kEndOfImage) break;
    const std::string segment = reader.take_segment();
    if (is_frame(*marker)) {
      frame = read_frame(segment);
      progressive = is_progressive(*marker);
    } else if (*marker == kStartOfScan) {
      ++found.scans;
      const std::size_t components = segment.empty() ? 0 : static_cast<unsigned char>(segment[0]);
      if (found.scans == 1 && !progressive && components >= frame.components) return found;
    }
  }
  found.coefficient_bytes = kCoefficient * frame.samples_per_pixel;
  return found;
}

}  // namespace sealite::image

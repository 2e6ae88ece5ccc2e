#include "image/jpeg_markers.h"

#include <algorithm>
#include <cstring>

namespace sealite::image {

std::optional<unsigned> JpegMarkers::next_marker() {
  while (find_ff()) {
    std::optional<unsigned> code = byte();
    while (code == 0xFFU) code = byte();
    if (!code) return std::nullopt;
    const bool data = *code == 0 || *code == 1 || (*code >= 0xD0 && *code <= 0xD8);
    if (!data) return code;
  }
  return std::nullopt;
}

std::string JpegMarkers::take_segment() {
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

bool JpegMarkers::fill() {
  file_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
  filled_ = static_cast<std::size_t>(file_.gcount());
  used_ = 0;
  return filled_ > 0;
}

std::optional<unsigned> JpegMarkers::byte() {
  if (used_ == filled_ && !fill()) return std::nullopt;
  return static_cast<unsigned char>(block_[used_++]);
}

bool JpegMarkers::find_ff() {
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

}  // namespace sealite::image

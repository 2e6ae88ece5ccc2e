#include "image/jpeg_scans.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "image/jpeg_markers.h"

namespace sealite::image {
namespace {

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

/// Which coefficients of each component have all their bits (ITU T.81, B.2.3 and G.1.1.1).
class Progress {
 public:
  void add(std::string_view scan) {
    const std::size_t components = scan.empty() ? 0 : static_cast<unsigned char>(scan[0]);
    if (scan.size() < 2 * components + 4) return;
    const std::string_view spectrum = scan.substr(2 * components + 1);
    if ((static_cast<unsigned char>(spectrum[2]) & 15U) != 0) return;  // lower bits are to follow
    for (std::size_t i = 0; i < components; ++i) {
      std::bitset<64>& done = done_[scan[1 + 2 * i]];
      for (std::size_t k = static_cast<unsigned char>(spectrum[0]);
           k <= static_cast<unsigned char>(spectrum[1]) && k < done.size(); ++k)
        done.set(k);
    }
  }
  bool complete(std::size_t components) const {
    return done_.size() >= components &&
           std::ranges::all_of(done_, [](const auto& row) { return row.second.all(); });
  }

 private:
  std::map<char, std::bitset<64>> done_;
};

}  // namespace

JpegScans count_jpeg_scans(std::istream& file) {
  constexpr double kCoefficient = 2;  // bytes: libjpeg's JCOEF
  JpegMarkers reader(file);
  JpegScans found;
  Frame frame;
  bool progressive = false;
  Progress progress;
  while (const auto marker = reader.next_marker()) {
    if (*marker == kJpegEnd) break;
    const std::string segment = reader.take_segment();
    if (is_frame(*marker)) {
      frame = read_frame(segment);
      progressive = is_progressive(*marker);
    } else if (*marker == kJpegScan) {
      ++found.scans;
      progress.add(segment);
      const std::size_t components = segment.empty() ? 0 : static_cast<unsigned char>(segment[0]);
      if (found.scans == 1 && !progressive && components >= frame.components) return found;
    }
  }
  found.complete = !progressive || progress.complete(frame.components);
  found.coefficient_bytes = kCoefficient * frame.samples_per_pixel;
  return found;
}

bool has_jpeg_end(std::istream& file, std::uint64_t size) {
  constexpr std::string_view kEnd = "\xFF\xD9";
  std::string last(kEnd.size(), '\0');
  if (size < last.size()) return false;
  file.clear();
  file.seekg(static_cast<std::streamoff>(size - last.size()));
  file.read(last.data(), static_cast<std::streamsize>(last.size()));
  if (last == kEnd) return true;
  file.clear();
  file.seekg(0);
  JpegMarkers reader(file);
  while (const auto marker = reader.next_marker()) {
    if (*marker == kJpegEnd) return true;
    reader.take_segment();
  }
  return false;
}

}  // namespace sealite::image

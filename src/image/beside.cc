#include "image/beside.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <system_error>

#include "image/boxes.h"
#include "image/jpeg_markers.h"
#include "image/long_xmp.h"
#include "image/memory_stream.h"
#include "image/tiff_directory.h"

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
constexpr const char* kManifest = "its C2PA manifest is left out: it would no longer verify";
constexpr const char* kGainMap = "its gain map is left out, and the XMP that announces it";

void add_lost(Beside& beside, const char* words) {
  if (std::ranges::count(beside.lost, words) == 0) beside.lost.emplace_back(words);
}

std::string read_bytes(std::istream& file, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

double number_in(std::string_view bytes, std::size_t at, std::size_t size) {
  return static_cast<double>(read_big_endian(bytes.substr(at, size)));
}

/// Colours stay what they are, though 8-bit RGB is written; of bits only those of such pixels.
bool is_kept_chunk(std::string_view kind, bool rgb8) {
  constexpr std::string_view kColours[] = {"gAMA", "cHRM", "sRGB", "cICP", "mDCV", "mDCv", "cLLI", "cLLi"};
  constexpr std::string_view kElsewhere[] = {"eXIf", "pHYs", "iCCP"};
  if (std::ranges::count(kElsewhere, kind) != 0) return false;
  if (std::ranges::count(kColours, kind) != 0) return true;
  if (kind == "sBIT") return rgb8;
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return std::ranges::all_of(kind, [&](char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }) &&
         is_lower(kind[0]) && is_lower(kind[3]) && kind != "tRNS";
}

void read_png(std::istream& file, std::uint64_t size, Beside& beside) {
  constexpr std::uint64_t kHead = 8;
  std::size_t total = 0;
  bool rgb8 = false;
  for (std::uint64_t at = 8; at < size && size - at >= kHead;) {
    const std::uint64_t length = read_number(file, at, 4);
    const std::string kind = read_bytes(file, at + 4, 4);
    if (length > size - at - kHead || kind == "IEND") return;
    const std::uint64_t begin = at + kHead;
    if (kind == "IHDR") {
      const std::uint64_t colours = read_number(file, begin + 9, 1);
      rgb8 = read_number(file, begin + 8, 1) == 8 && (colours == 2 || colours == 6);
    }
    if (kind == "caBX") add_lost(beside, kManifest);
    if (kind == "pHYs") {
      const std::string bytes = read_bytes(file, begin, std::min<std::uint64_t>(length, 9));
      if (bytes.size() == 9)
        beside.density = PixelDensity{number_in(bytes, 0, 4), number_in(bytes, 4, 4), bytes[8] != 1};
    }
    if (is_kept_chunk(kind, rgb8)) {
      total += static_cast<std::size_t>(length);
      if (total > kMostBytes) {
        add_lost(beside, "chunks of more than 64 MiB are left out");
        return;
      }
      std::string contents = read_bytes(file, begin, length);
      if (!contents.starts_with("XML:com.adobe.xmp\0"sv)) beside.png.push_back({kind, std::move(contents)});
    }
    at = begin + length + std::min<std::uint64_t>(4, size - begin - length);
  }
}

/// JFIF, behind its five letters: version, unit (0 a ratio, 1 inches, 2 centimetres), densities.
void read_jfif(std::string_view segment, Beside& beside) {
  constexpr double kMetre[] = {1, 1 / 0.0254, 100};
  if (segment.size() < 12) return;
  const auto unit = static_cast<unsigned char>(segment[7]);
  if (unit > 2) return;
  const PixelDensity density{number_in(segment, 8, 2) * kMetre[unit],
                             number_in(segment, 10, 2) * kMetre[unit], unit == 0};
  if (!density.ratio_only || density.x != 1 || density.y != 1) beside.density = density;
}

void add_segment(unsigned marker, std::string segment, Beside& beside) {
  constexpr unsigned kComment = 0xFE;
  constexpr unsigned kApp = 0xE0;
  constexpr unsigned kAdobe = 14;
  if (marker == kComment) {
    beside.comments.push_back(std::move(segment));
    return;
  }
  if (marker < kApp || marker > kApp + 15) return;
  const unsigned app = marker - kApp;
  if (app == 0 && segment.starts_with("JFIF\0"sv)) read_jfif(segment, beside);
  if (app == 11 && segment.find("jumb") != std::string::npos) {
    add_lost(beside, kManifest);
    return;
  }
  if (app == 2 && segment.starts_with("urn:iso:std:iso:ts:21496:-1\0"sv)) beside.gain_map = true;
  if (app == 1 && announces_gain_map(segment)) beside.gain_map = true;
  if (app == 1 && beside.brief_xmp.empty() && segment.starts_with(kXmpStart))
    beside.brief_xmp = segment.substr(kXmpStart.size());
  if (app == 1 && segment.starts_with(kLongXmpStart)) {
    beside.long_xmp.push_back(std::move(segment));
  } else if (app > 2 && app != kAdobe) {
    beside.jpeg.push_back({"APP" + std::to_string(app), std::move(segment)});
  }
}

void read_jpeg(std::istream& file, Beside& beside) {
  JpegMarkers reader(file);
  std::size_t total = 0;
  while (const auto marker = reader.next_marker()) {
    if (*marker == kJpegScan || *marker == kJpegEnd) break;
    std::string segment = reader.take_segment();
    total += segment.size();
    if (total > kMostBytes) {
      add_lost(beside, "segments of more than 64 MiB are left out");
      break;
    }
    add_segment(*marker, std::move(segment), beside);
  }
  if (!beside.gain_map) return;
  add_lost(beside, kGainMap);
  beside.long_xmp.clear();
}

bool has_webp_chunk(std::istream& file, std::uint64_t size, std::string_view wanted) {
  constexpr int kMostChunks = 4096;
  std::uint64_t at = 12;
  for (int i = 0; i < kMostChunks && at + 8 <= size; ++i) {
    if (read_bytes(file, at, 4) == wanted) return true;
    std::uint64_t length = 0;
    for (const char c : read_bytes(file, at + 4, 4))
      length = length >> 8U | std::uint64_t{static_cast<unsigned char>(c)} << 24U;
    at += 8 + length + length % 2;
  }
  return false;
}

void read_other(std::istream& file, std::uint64_t size, Decoder decoder, Beside& beside) {
  constexpr unsigned kTiffManifest = 0xCD41;
  constexpr std::uint64_t kUuid = 0xD8FEC3D61B0E483C;
  if (decoder == Decoder::kWebp && has_webp_chunk(file, size, "C2PA")) add_lost(beside, kManifest);
  if (decoder == Decoder::kHeif || decoder == Decoder::kJxl || decoder == Decoder::kJp2) {
    const auto box = find_box(file, {0, size}, decoder == Decoder::kJxl ? "jumb" : "uuid");
    if (box && (decoder == Decoder::kJxl || read_number(file, box->begin, 8) == kUuid))
      add_lost(beside, kManifest);
  }
  if (decoder == Decoder::kTiff) {
    TiffFile tiff(file);
    const TiffFile::Directory first = tiff.read_directory(tiff.first_directory());
    if (first.contains(kTiffManifest)) add_lost(beside, kManifest);
    // Description, maker, model, program, date, artist, copyright, IPTC, Photoshop's, EXIF and GPS.
    for (const unsigned tag : {270U, 271U, 272U, 305U, 306U, 315U, 33432U, 33723U, 34377U, 34665U, 34853U}) {
      if (first.contains(tag)) add_lost(beside, "the TIFF's EXIF, IPTC and texts are left out");
    }
  }
}

Beside read_from(std::istream& file, std::uint64_t size, Decoder decoder) {
  Beside beside;
  if (decoder == Decoder::kPng) {
    read_png(file, size, beside);
  } else if (decoder == Decoder::kJpeg) {
    read_jpeg(file, beside);
  } else {
    read_other(file, size, decoder, beside);
  }
  return beside;
}

}  // namespace

bool announces_gain_map(std::string_view xmp) {
  return xmp.find("http://ns.adobe.com/hdr-gain-map/") != std::string_view::npos ||
         xmp.find("http://ns.apple.com/HDRGainMap/") != std::string_view::npos;
}

Beside read_beside(const PictureInput& input, Decoder decoder) {
  if (!input.bytes.empty()) {
    MemoryBuffer buffer(input.bytes);
    std::istream stream(&buffer);
    return read_from(stream, input.bytes.size(), decoder);
  }
  std::ifstream file(input.path, std::ios::binary);
  std::error_code ignored;
  return read_from(file, std::filesystem::file_size(input.path, ignored), decoder);
}

}  // namespace sealite::image

#include "image/examine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "image/boxes.h"
#include "image/jpeg_markers.h"
#include "image/memory_stream.h"
#include "image/picture.h"
#include "image/vips_program.h"

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

/// Whether libpng inflates the text that a chunk of `kind` begins with `start`: iTXt says so behind its
/// keyword.
bool is_compressed_text(std::string_view kind, std::string_view start) {
  if (kind != "iTXt") return kind == "zTXt";
  const std::size_t flag = start.find('\0') + 1;  // 0 if there is none
  return flag != 0 && flag < start.size() && start[flag] != '\0';
}

/// Libvips' loader gets memory for a chunk of PNG as long as the chunk claims, and fills it; and libpng
/// inflates every compressed text, twice: 1 MB of them took 8 s. Returns the frames of an APNG, else 1.
int check_png_chunks(std::istream& file, std::uint64_t size) {
  constexpr std::uint64_t kHead = 8;               // length and kind; a checksum follows the contents
  constexpr std::uint64_t kStart = 80;             // a keyword's 79 letters and its end
  constexpr std::uint64_t kMostTexts = 256 << 10;  // compressed, of the whole file
  constexpr std::uint64_t kMostFrames = 1'000'000;
  std::uint64_t texts = 0;
  int frames = 1;
  for (std::uint64_t at = 8; size - at >= kHead;) {
    std::array<char, kHead + kStart + 1> bytes = {};
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    file.read(bytes.data(), bytes.size());
    const std::string_view found(bytes.data(), static_cast<std::size_t>(file.gcount()));
    if (found.size() < kHead) return frames;
    const std::uint64_t length = read_number(file, at, 4);
    if (length > size - at - kHead)
      fail(ErrorCode::kMalformed, "broken or truncated picture: a chunk is longer than the file");
    const std::string_view kind = found.substr(4, 4);
    if (kind == "IEND") return frames;
    if (kind == "acTL")
      frames = static_cast<int>(std::clamp<std::uint64_t>(read_number(file, at + kHead, 4), 1, kMostFrames));
    if (is_compressed_text(kind, found.substr(kHead))) texts += length;
    if (texts > kMostTexts) {
      fail(ErrorCode::kUnsupported, "compressed texts of more than {} bytes in a PNG; save it without them",
           kMostTexts);
    }
    at += kHead + length + std::min<std::uint64_t>(4, size - at - kHead - length);
  }
  return frames;
}

/// How many pictures an MPO says that it has (CIPA DC-007: field B001 of the index behind "MPF").
int count_mpo_pictures(std::istream& file) {
  constexpr unsigned kApp2 = 0xE2;
  constexpr unsigned kPictures = 0xB001;
  constexpr std::uint64_t kMost = 1'000'000;
  file.clear();
  file.seekg(0);
  JpegMarkers reader(file);
  while (const auto marker = reader.next_marker()) {
    if (*marker == kJpegScan || *marker == kJpegEnd) break;
    const std::string segment = reader.take_segment();
    if (*marker != kApp2 || !segment.starts_with("MPF\0"sv)) continue;
    std::istringstream inside(segment.substr(4));
    TiffFile index(inside);
    const std::uint64_t pictures = index.number(index.read_directory(index.first_directory()), kPictures, 1);
    return static_cast<int>(std::clamp<std::uint64_t>(pictures, 1, kMost));
  }
  return 1;
}

/// The frames of the first track of an AVIF or HEIC sequence, 1 if there is none.
int count_sequence_frames(std::istream& file, std::uint64_t size) {
  constexpr std::uint64_t kMost = 1'000'000;
  const auto sizes = find_box_path(file, {0, size}, "moov/trak/mdia/minf/stbl/stsz");
  if (!sizes) return 1;
  return static_cast<int>(std::clamp<std::uint64_t>(read_number(file, sizes->begin + 8, 4), 1, kMost));
}

/// The next number of a PPM's header, past white space and comments: of two comments one behind the other
/// libvips 8.14 skips the first and takes the second for the number 0, and then reads some other picture.
std::uint64_t ppm_number(std::istream& file) {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  while (std::isspace(file.peek()) != 0 || file.peek() == '#') {
    if (file.get() != '#') continue;
    file.ignore(1 << 16U, '\n');
    if (file.peek() == '#')
      fail(ErrorCode::kUnsupported, "two comments one behind the other in a PPM's header; save it without");
  }
  std::uint64_t number = 0;
  bool any = false;
  while (std::isdigit(file.peek()) != 0 && number <= kMost) {
    number = 10 * number + static_cast<std::uint64_t>(file.get() - '0');
    any = true;
  }
  if (!any || number == 0 || number > kMost)
    fail(ErrorCode::kMalformed, "broken picture: no size or largest value in its header");
  return number;
}

/// libvips gives samples as they are in the file (1023 of 1023 would be nearly black), and of numbers in text
/// that are not there it takes minutes to miss each.
void check_ppm(std::istream& file, std::uint64_t size) {
  constexpr std::string_view kBits = "14";
  constexpr std::string_view kText = "123";
  file.clear();
  file.seekg(1);
  const auto kind = static_cast<char>(file.get());
  const std::uint64_t width = ppm_number(file);
  const std::uint64_t samples = width * ppm_number(file) * (kind == '3' ? 3 : 1);
  if (kText.find(kind) != std::string_view::npos && size < samples)
    fail(ErrorCode::kMalformed, "broken or truncated picture: {} samples in {} bytes", samples, size);
  if (kBits.find(kind) != std::string_view::npos) return;
  const std::uint64_t largest = ppm_number(file);
  if (largest != 255 && largest != 65535) {
    fail(ErrorCode::kUnsupported, "samples up to {} in a PPM; save it with samples up to 255 or 65535",
         largest);
  }
}

/// The same of JPEG 2000 (ITU T.800, A.5.1).
void check_jp2(std::istream& file, std::uint64_t size) {
  constexpr std::uint64_t kCodestream = 0xFF4F;
  constexpr std::uint64_t kComponents =
      40;  // from the codestream's start: their number, then 3 bytes of each
  std::uint64_t start = 0;
  if (read_number(file, 0, 2) != kCodestream) {
    const auto box = find_box(file, {0, size}, "jp2c");
    if (!box) fail(ErrorCode::kMalformed, "broken picture: no code stream");
    start = box->begin;
  }
  const std::uint64_t components = read_number(file, start + kComponents, 2);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(components, 64); ++i) {
    const std::uint64_t depth = read_number(file, start + kComponents + 2 + 3 * i, 1);
    constexpr std::uint64_t kSigned = 0x80;
    const std::uint64_t bits = (depth & ~kSigned) + 1;
    if ((depth & kSigned) != 0 || (bits != 8 && bits != 16)) {
      fail(ErrorCode::kUnsupported,
           "{} samples of {} bits in a JPEG 2000; save it with unsigned ones of 8 or 16 bits",
           (depth & kSigned) != 0 ? "signed" : "unsigned", bits);
    }
  }
}

KnownFile examine(std::istream& file, std::uint64_t size, const std::filesystem::path& path) {
  constexpr std::size_t kLeast = 12;
  std::array<char, kFormatBytes> start = {};
  file.read(start.data(), start.size());
  const std::string_view found(start.data(), static_cast<std::size_t>(file.gcount()));
  const auto format = found.size() >= kLeast ? find_format(found) : std::nullopt;
  if (!format) {
    if (const auto name = name_unread_format(found))
      fail(ErrorCode::kUnsupported, "{}: {}, which is not read; {}", path.string(), *name, kFormatsRead);
    fail(ErrorCode::kMalformed, "{}: not a picture; {}", path.string(), kFormatsRead);
  }
  KnownFile known{*format, {}, {}, 1, false};
  switch (format->decoder) {
    case Decoder::kJpeg:
      file.clear();
      file.seekg(0);
      known.jpeg = count_jpeg_scans(file);
      known.lacks_end = known.jpeg.complete && !has_jpeg_end(file, size);
      known.frames = count_mpo_pictures(file);
      break;
    case Decoder::kPng:
      known.frames = check_png_chunks(file, size);
      break;
    case Decoder::kTiff:
      known.tiff = check_tiff(file);
      break;
    case Decoder::kHeif:
      known.frames = count_sequence_frames(file, size);
      break;
    case Decoder::kPpm:
      check_ppm(file, size);
      break;
    case Decoder::kJp2:
      check_jp2(file, size);
      break;
    case Decoder::kWebp:
    case Decoder::kGif:
    case Decoder::kJxl:
      break;
  }
  load_vips_module_of(format->decoder);
  return known;
}

}  // namespace

bool is_picture(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  if (!file) return true;
  std::array<char, kFormatBytes> start = {};
  file.read(start.data(), start.size());
  return find_format({start.data(), static_cast<std::size_t>(file.gcount())}).has_value();
}

KnownFile examine(const PictureInput& input) {
  if (!input.bytes.empty()) {
    MemoryBuffer buffer(input.bytes);
    std::istream stream(&buffer);
    return examine(stream, input.bytes.size(), input.path);
  }
  std::ifstream file(input.path, std::ios::binary);
  std::error_code ignored;
  if (!file) fail(ErrorCode::kIo, "{}: the picture cannot be read", input.path.string());
  return examine(file, std::filesystem::file_size(input.path, ignored), input.path);
}

}  // namespace sealite::image

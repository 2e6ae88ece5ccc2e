#include "image/tiff_directory.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace sealite::image {
namespace {

constexpr std::uint64_t kMostFields = 4096;

// TIFF 6.0; DNG 1.7 for the last ones.
constexpr unsigned kSubfileType = 254;
constexpr unsigned kWidth = 256;
constexpr unsigned kHeight = 257;
constexpr unsigned kBitsPerSample = 258;
constexpr unsigned kCompression = 259;
constexpr unsigned kPhotometric = 262;
constexpr unsigned kSubDirectories = 330;
constexpr unsigned kSampleFormat = 339;
constexpr unsigned kDngVersion = 50706;
constexpr std::uint64_t kYcbcr = 6;
constexpr std::uint64_t kCielab = 8;
constexpr std::uint64_t kMosaic = 32803;
constexpr std::uint64_t kLinearRaw = 34892;

unsigned bytes_of(unsigned type) {
  constexpr std::array<unsigned, 19> kBytes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < kBytes.size() ? kBytes[type] : 0;
}

bool is_raw(std::uint64_t photometric) {
  return photometric == kMosaic || photometric == kLinearRaw;
}

/// Whether the first picture is a preview of another one.
bool is_preview(TiffFile& tiff, const TiffFile::Directory& first) {
  if (first.contains(kDngVersion) || is_raw(tiff.number(first, kPhotometric, 0))) return true;
  const std::uint64_t pixels = tiff.number(first, kWidth, 0) * tiff.number(first, kHeight, 0);
  const bool reduced = (tiff.number(first, kSubfileType, 0) & 1U) != 0;
  const auto found = first.find(kSubDirectories);
  if (found == first.end()) return reduced;
  constexpr std::size_t kMostDirectories = 64;
  for (const std::uint64_t offset : tiff.numbers(found->second, kMostDirectories)) {
    const TiffFile::Directory inner = tiff.read_directory(offset);
    if (is_raw(tiff.number(inner, kPhotometric, 0))) return true;
    if (tiff.number(inner, kWidth, 0) * tiff.number(inner, kHeight, 0) > pixels) return true;
  }
  return reduced;
}

/// Canon's first raw format says so behind the header.
bool is_cr2(std::istream& file) {
  std::array<char, 10> start = {};
  file.clear();
  file.seekg(0);
  file.read(start.data(), start.size());
  return file.gcount() == static_cast<std::streamsize>(start.size()) &&
         std::string_view(start.data() + 8, 2) == "CR";
}

/// Grey of both kinds, RGB, palette, CMYK and CIELAB; YCbCr where libjpeg turns it into RGB, since libvips
/// gives other YCbCr as if it were RGB.
void check_colours(std::uint64_t photometric, std::uint64_t compression) {
  constexpr std::uint64_t kLastOfBaseline = 3;
  constexpr std::uint64_t kSeparated = 5;
  constexpr std::uint64_t kJpeg = 7;
  if (photometric <= kLastOfBaseline || photometric == kSeparated || photometric == kCielab) return;
  if (photometric == kYcbcr && (compression == kJpeg || compression == kJpeg - 1)) return;
  if (photometric == kYcbcr)
    fail(ErrorCode::kUnsupported, "YCbCr that is not compressed as JPEG is not read; save it as RGB");
  fail(ErrorCode::kUnsupported, "colours of kind {} (PhotometricInterpretation) are not read; save it as RGB",
       photometric);
}

void check_samples(std::uint64_t bits, std::uint64_t format, bool lab) {
  constexpr std::array<std::string_view, 7> kFormats = {
      "", "unsigned", "signed", "floating-point", "undefined", "signed complex", "floating-point complex"};
  // CIELAB's a and b are signed, whatever the field says.
  if (format != 1 && format != 4 && !(lab && format == 2)) {
    fail(ErrorCode::kUnsupported,
         "{} samples of {} bits, of which nothing says what is black and what is white; save it with 8 or 16 "
         "bits",
         format < kFormats.size() && format > 0 ? kFormats[format] : "unknown", bits);
  }
  const bool known = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || (bits == 32 && !lab);
  if (!known)
    fail(ErrorCode::kUnsupported, "samples of {} bits are not read; save it with 8 or 16 bits", bits);
}

}  // namespace

TiffFile::TiffFile(std::istream& file) : file_(file) {
  constexpr std::uint64_t kMotorola = 0x4D4D;
  constexpr std::uint64_t kBigTiff = 43;
  big_endian_ = read(0, 2) == kMotorola;
  big_tiff_ = read(2, 2) == kBigTiff;
  first_ = big_tiff_ ? read(8, 8) : read(4, 4);
}

std::uint64_t TiffFile::read(std::uint64_t offset, unsigned bytes) {
  std::array<char, 8> buffer = {};
  if (offset > (std::uint64_t{1} << 62U)) return 0;
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(buffer.data(), bytes);
  if (file_.gcount() != static_cast<std::streamsize>(bytes)) return 0;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    const unsigned at = big_endian_ ? i : bytes - 1 - i;
    value = value << 8U | static_cast<unsigned char>(buffer[at]);
  }
  return value;
}

TiffFile::Directory TiffFile::read_directory(std::uint64_t offset, std::uint64_t* next) {
  Directory fields;
  if (next != nullptr) *next = 0;
  if (offset == 0) return fields;
  const unsigned word = big_tiff_ ? 8 : 4;
  const unsigned head = big_tiff_ ? 8 : 2;
  const unsigned entry = 4 + 2 * word;
  const std::uint64_t all = read(offset, head);
  const std::uint64_t count = std::min(all, kMostFields);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = offset + head + i * entry;
    TiffField field;
    field.type = static_cast<unsigned>(read(at + 2, 2));
    field.count = read(at + 4, word);
    const std::uint64_t bytes = bytes_of(field.type);
    const bool inside = bytes != 0 && field.count <= word / bytes;
    field.offset = inside ? at + 4 + word : read(at + 4 + word, word);
    if (bytes != 0) fields.emplace(static_cast<unsigned>(read(at, 2)), field);
  }
  if (next != nullptr && all <= kMostFields) *next = read(offset + head + all * entry, word);
  return fields;
}

std::vector<std::uint64_t> TiffFile::numbers(const TiffField& field, std::size_t most) {
  std::vector<std::uint64_t> values;
  const bool whole = field.type == 1 || field.type == 3 || field.type == 4 || field.type == 13 ||
                     field.type == 16 || field.type == 18;
  if (!whole) return values;
  const unsigned bytes = bytes_of(field.type);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(field.count, most); ++i)
    values.push_back(read(field.offset + i * bytes, bytes));
  return values;
}

std::uint64_t TiffFile::number(const Directory& directory, unsigned tag, std::uint64_t otherwise) {
  const auto found = directory.find(tag);
  if (found == directory.end()) return otherwise;
  const std::vector<std::uint64_t> values = numbers(found->second, 1);
  return values.empty() ? otherwise : values[0];
}

TiffSamples check_tiff(std::istream& file) {
  TiffFile tiff(file);
  const TiffFile::Directory first = tiff.read_directory(tiff.first_directory());
  if (first.empty()) return {};  // libtiff says what is wrong with it
  if (is_cr2(file) || is_preview(tiff, first)) {
    fail(ErrorCode::kUnsupported,
         "a camera's raw file or one whose first picture is a preview; develop it and save it as TIFF or "
         "JPEG");
  }
  const std::uint64_t photometric = tiff.number(first, kPhotometric, 1);
  check_colours(photometric, tiff.number(first, kCompression, 1));
  TiffSamples samples;
  samples.lab = photometric == kCielab;
  const std::uint64_t bits = tiff.number(first, kBitsPerSample, 1);
  check_samples(bits, tiff.number(first, kSampleFormat, 1), samples.lab);
  samples.bits = static_cast<unsigned>(bits);
  return samples;
}

}  // namespace sealite::image

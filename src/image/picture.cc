#include "image/picture.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/context.h"
#include "base/error.h"
#include "image/decode_budget.h"
#include "image/memory_stream.h"
#include "image/metadata.h"
#include "image/vips_image.h"
#include "image/vips_program.h"

namespace sealite::image {
namespace {

constexpr const char* kFormats = "JPEG, PNG, WebP, AVIF/HEIC and TIFF are read";

/// libvips' operation that reads a file ("jpegload", and "jpegload_buffer" of its bytes).
struct Format {
  const char* loader;
  Decoder decoder;
};

/// A picture's file, or its bytes in memory.
struct Input {
  std::filesystem::path path;        ///< Or what errors call it.
  std::span<const std::byte> bytes;  ///< Empty: read the file.
};

/// The format of a file that starts with `start`, if it is one of these five. Only they ever see the bytes:
/// libvips knows many more, and its own search would try them all.
std::optional<Format> find_format(std::string_view start) {
  using namespace std::string_view_literals;
  if (start.starts_with("\xFF\xD8\xFF"sv)) return Format{"jpegload", Decoder::kJpeg};
  if (start.starts_with("\x89PNG\r\n\x1A\n"sv)) return Format{"pngload", Decoder::kPng};
  if (start.starts_with("RIFF"sv) && start.substr(8).starts_with("WEBP"sv))
    return Format{"webpload", Decoder::kWebp};
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (start.starts_with(magic)) return Format{"tiffload", Decoder::kTiff};
  }
  if (start.substr(4).starts_with("ftyp"sv)) {
    const std::string_view brand = start.substr(8, 4);
    for (const auto known :
         {"avif"sv, "avis"sv, "mif1"sv, "msf1"sv, "heic"sv, "heix"sv, "heim"sv, "heis"sv}) {
      if (brand == known) return Format{"heifload", Decoder::kHeif};
    }
  }
  return std::nullopt;
}

/// Whether libpng inflates the text that a chunk of `kind` begins with `start`: iTXt says so behind its
/// keyword.
bool is_compressed_text(std::string_view kind, std::string_view start) {
  if (kind != "iTXt") return kind == "zTXt";
  const std::size_t flag = start.find('\0') + 1;  // 0 if there is none
  return flag != 0 && flag < start.size() && start[flag] != '\0';
}

/// Libvips' loader gets memory for a chunk of PNG as long as the chunk claims, and fills it; and libpng
/// inflates every compressed text, twice: 1 MB of them took 8 s.
void check_png_chunks(std::istream& file, std::uint64_t size) {
  constexpr std::uint64_t kHead = 8;               // length and kind; a checksum follows the contents
  constexpr std::uint64_t kStart = 80;             // a keyword's 79 letters and its end
  constexpr std::uint64_t kMostTexts = 256 << 10;  // compressed, of the whole file
  std::uint64_t texts = 0;
  for (std::uint64_t at = 8; size - at >= kHead;) {
    std::array<char, kHead + kStart + 1> bytes = {};
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    file.read(bytes.data(), bytes.size());
    const std::string_view found(bytes.data(), static_cast<std::size_t>(file.gcount()));
    if (found.size() < kHead) return;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8U | static_cast<unsigned char>(found[i]);
    if (length > size - at - kHead)
      fail(ErrorCode::kMalformed, "broken or truncated picture: a chunk is longer than the file");
    const std::string_view kind = found.substr(4, 4);
    if (kind == "IEND") return;
    if (is_compressed_text(kind, found.substr(kHead))) texts += length;
    if (texts > kMostTexts) {
      fail(ErrorCode::kUnsupported, "compressed texts of more than {} bytes in a PNG; save it without them",
           kMostTexts);
    }
    at += kHead + length + std::min<std::uint64_t>(4, size - at - kHead - length);
  }
}

/// A file whose format is known, and what it says before libvips sees it.
struct KnownFile {
  Format format;
  JpegScans jpeg;
};

std::ifstream open_stream(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, ignored))
    file.open(path, std::ios::binary);  // a pipe would block
  if (std::filesystem::is_directory(path, ignored))
    fail(ErrorCode::kNotFound, "{}: a folder, expected a picture file", path.string());
  if (!file.is_open()) fail(ErrorCode::kNotFound, "{}: no such picture file", path.string());
  return file;
}

KnownFile examine(std::istream& file, std::uint64_t size, const std::filesystem::path& path) {
  std::array<char, 12> start = {};
  file.read(start.data(), start.size());
  const std::string_view found(start.data(), static_cast<std::size_t>(file.gcount()));
  const auto format = found.size() == start.size() ? find_format(found) : std::nullopt;
  if (!format) fail(ErrorCode::kMalformed, "{}: not a picture; {}", path.string(), kFormats);
  KnownFile known{*format, {}};
  if (format->decoder == Decoder::kHeif) load_heif_module();
  if (format->decoder == Decoder::kPng) check_png_chunks(file, size);
  if (format->decoder == Decoder::kJpeg) {
    file.clear();
    file.seekg(0);
    known.jpeg = count_jpeg_scans(file);
  }
  return known;
}

KnownFile examine(const Input& input) {
  if (!input.bytes.empty()) {
    MemoryBuffer buffer(input.bytes);
    std::istream stream(&buffer);
    return examine(stream, input.bytes.size(), input.path);
  }
  std::ifstream file = open_stream(input.path);
  std::error_code ignored;
  return examine(file, std::filesystem::file_size(input.path, ignored), input.path);
}

/// Runs the loader, and not out of libvips' cache of operations, where a host may have left it: the file may
/// be another by now. nullptr with libvips' error if it cannot.
VipsImage* load(const Format& format, const Input& input) {
  const std::string name = std::string(format.loader) + (input.bytes.empty() ? "" : "_buffer");
  const std::unique_ptr<VipsOperation, Unref> operation(vips_operation_new(name.c_str()));
  if (!operation) return nullptr;
  g_object_set(operation.get(), "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
  if (input.bytes.empty()) {
    g_object_set(operation.get(), "filename", input.path.c_str(), nullptr);
  } else {
    VipsBlob* const blob = vips_blob_new(nullptr, input.bytes.data(), input.bytes.size());
    g_object_set(operation.get(), "buffer", blob, nullptr);
    vips_area_unref(VIPS_AREA(blob));
  }
  VipsImage* image = nullptr;
  if (vips_object_build(VIPS_OBJECT(operation.get())) == 0)
    g_object_get(operation.get(), "out", &image, nullptr);
  vips_object_unref_outputs(VIPS_OBJECT(operation.get()));
  return image;
}

/// Opens the file and reads its header; the pixels come later, row by row.
Image open_picture(const Input& input, const ReadLimits& limits) {
  const KnownFile file = examine(input);
  Image image(load(file.format, input));
  check_vips(image ? 0 : -1, ErrorCode::kMalformed, "broken picture");
  check_decode_budget(image.get(), file.format.decoder, file.jpeg, limits.max_pixels);
  return image;
}

bool is_cmyk(VipsImage* image) {
  return image->Type == VIPS_INTERPRETATION_CMYK && vips_image_get_bands(image) >= 4;
}

/// 16 bits to their high byte, others clipped.
Image convert_depth(Image image) {
  if (vips_image_get_format(image.get()) == VIPS_FORMAT_UCHAR) return image;
  VipsImage* next = nullptr;
  const bool wide = vips_image_get_format(image.get()) == VIPS_FORMAT_USHORT;
  check_vips(wide ? vips_msb(image.get(), &next, nullptr)
                  : vips_cast(image.get(), &next, VIPS_FORMAT_UCHAR, nullptr),
             ErrorCode::kUnsupported, "the picture's samples cannot be converted to 8 bits");
  return Image(next);
}

/// CMYK as it is, everything else as three 8-bit bands.
Image convert_bands(VipsImage* image) {
  VipsImage* next = nullptr;
  const bool cmyk = is_cmyk(image);
  Image colours;
  if (!cmyk) {
    check_vips(vips_colourspace(image, &next, VIPS_INTERPRETATION_sRGB, nullptr), ErrorCode::kUnsupported,
               "the picture's colours cannot be converted to RGB");
    colours = Image(next);
    image = next;
  }
  check_vips(vips_extract_band(image, &next, 0, "n", cmyk ? 4 : 3, nullptr), ErrorCode::kUnsupported,
             "the picture has too few colour bands");
  return convert_depth(Image(next));
}

bool has_alpha(VipsImage* image) {
  const VipsBandFormat format = vips_image_get_format(image);
  return !is_cmyk(image) && vips_image_hasalpha(image) != 0 &&
         (format == VIPS_FORMAT_UCHAR || format == VIPS_FORMAT_USHORT);
}

/// `rgb` with the alpha of `image`, as it is in the file, as a fourth band.
Image add_alpha(VipsImage* image, const Image& rgb) {
  VipsImage* next = nullptr;
  // The second of two is grey's alpha, the fourth of four or more RGB's.
  const int band = vips_image_get_bands(image) == 2 ? 1 : 3;
  check_vips(vips_extract_band(image, &next, band, nullptr), ErrorCode::kInternal, "no alpha");
  const Image alpha = convert_depth(Image(next));
  check_vips(vips_bandjoin2(rgb.get(), alpha.get(), &next, nullptr), ErrorCode::kInternal,
             "cannot add alpha");
  return Image(next);
}

/// a * b / 255, rounded: Pillow's MULDIV255.
unsigned multiply_255(unsigned a, unsigned b) {
  const unsigned t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/// Ink to light as Pillow does it (src/libImaging/Convert.c: cmyk2rgb), without a profile.
void cmyk_to_rgb(const VipsPel* in, std::uint8_t* out, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i, in += 4, out += 3) {
    const unsigned light = 255U - in[3];
    for (std::size_t c = 0; c < 3; ++c)
      out[c] = static_cast<std::uint8_t>(light - multiply_255(in[c], light));
  }
}

/// RGBA to RGB and alpha.
void split_alpha(const VipsPel* in, std::uint8_t* rgb, std::uint8_t* alpha, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i, in += 4, rgb += 3) {
    std::memcpy(rgb, in, 3);
    alpha[i] = in[3];
  }
}

std::uint8_t* append_row(std::vector<std::uint8_t>& values, std::size_t size) {
  values.resize(values.size() + size);
  return values.data() + values.size() - size;
}

/// Pulls the rows through the pipeline strip by strip, in this thread: libvips' own sinks call back from
/// others. Of four bands the last is alpha, which goes to `alpha`, or the picture is CMYK if that is null.
Picture read_pixels(VipsImage* image, std::vector<std::uint8_t>* alpha) {
  constexpr int kStrip = 16;
  Picture picture;
  picture.height = vips_image_get_height(image);
  picture.width = vips_image_get_width(image);
  const auto width = static_cast<std::size_t>(picture.width);
  const std::size_t pixels = static_cast<std::size_t>(picture.height) * width;
  // Touched row by row: a file that claims many and holds few takes memory for those few.
  picture.rgb.reserve(pixels * 3);
  const bool four = vips_image_get_bands(image) == 4;
  if (alpha != nullptr && four) alpha->reserve(pixels);
  const Region region(vips_region_new(image));
  for (int top = 0; top < picture.height; top += kStrip) {
    const VipsRect strip = {0, top, static_cast<int>(picture.width),
                            std::min(kStrip, static_cast<int>(picture.height) - top)};
    check_cancelled();
    check_vips(vips_region_prepare(region.get(), &strip), ErrorCode::kMalformed,
               "broken or truncated picture");
    for (int y = top; y < top + strip.height; ++y) {
      const VipsPel* in = VIPS_REGION_ADDR(region.get(), 0, y);
      if (!four) {
        picture.rgb.insert(picture.rgb.end(), in, in + width * 3);
        continue;
      }
      std::uint8_t* const out = append_row(picture.rgb, width * 3);
      if (alpha != nullptr) {
        split_alpha(in, out, append_row(*alpha, width), width);
      } else {
        cmyk_to_rgb(in, out, width);
      }
    }
  }
  return picture;
}

/// The pixels of an 8-bit image of one band, as `read_pixels` pulls them.
std::vector<std::uint8_t> read_one_band(VipsImage* image) {
  const auto width = static_cast<std::size_t>(vips_image_get_width(image));
  const int height = vips_image_get_height(image);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(height) * width);
  const Region region(vips_region_new(image));
  for (int y = 0; y < height; ++y) {
    const VipsRect row = {0, y, static_cast<int>(width), 1};
    check_vips(vips_region_prepare(region.get(), &row), ErrorCode::kInternal, "cannot turn the picture");
    std::memcpy(values.data() + static_cast<std::size_t>(y) * width, VIPS_REGION_ADDR(region.get(), 0, y),
                width);
  }
  return values;
}

/// Does to `bands`-channel pixels what EXIF says about the camera's position.
Image rotate_upright(const std::vector<std::uint8_t>& pixels, std::int64_t height, std::int64_t width,
                     int bands, int orientation) {
  const Image stored(vips_image_new_from_memory(pixels.data(), pixels.size(), static_cast<int>(width),
                                                static_cast<int>(height), bands, VIPS_FORMAT_UCHAR));
  check_vips(stored == nullptr, ErrorCode::kInternal, "cannot turn the picture");
  vips_image_set_int(stored.get(), VIPS_META_ORIENTATION, orientation);
  VipsImage* upright = nullptr;
  check_vips(vips_autorot(stored.get(), &upright, nullptr), ErrorCode::kInternal, "cannot turn the picture");
  return Image(upright);
}

void rotate_upright(SourcePicture& source, int orientation) {
  const Picture& picture = source.picture;
  if (!source.alpha.empty()) {
    const Image upright = rotate_upright(source.alpha, picture.height, picture.width, 1, orientation);
    source.alpha = read_one_band(upright.get());
  }
  const Image upright = rotate_upright(picture.rgb, picture.height, picture.width, 3, orientation);
  source.picture = read_pixels(upright.get(), nullptr);
}

std::string colours_of(VipsImage* image) {
  if (is_cmyk(image)) return "CMYK";
  switch (vips_image_guess_interpretation(image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
      return "grey";
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16:
      return "RGB";
    default:
      return "other";
  }
}

/// Everything, or without alpha and metadata.
SourcePicture decode(const Input& input, const ReadLimits& limits, bool everything) {
  const MemoryWatch memory;
  Image image = open_picture(input, limits);
  SourcePicture source;
  source.bits = static_cast<int>(8 * vips_format_sizeof(vips_image_get_format(image.get())));
  source.colours = colours_of(image.get());
  source.pages = vips_image_get_n_pages(image.get());
  if (everything) source.metadata = std::make_shared<const Metadata>(image.get());
  Image bands = convert_bands(image.get());
  const bool alpha = everything && has_alpha(image.get());
  if (alpha) bands = add_alpha(image.get(), bands);
  source.picture = read_pixels(bands.get(), alpha ? &source.alpha : nullptr);
  const int orientation = vips_image_get_orientation(image.get());
  bands.reset();
  image.reset();  // the decoder and what it holds, before a second picture is made
  if (orientation > 1) rotate_upright(source, orientation);
  memory.check();
  return source;
}

SourcePicture read(const Input& input, const ReadLimits& limits, bool everything) {
  start_vips();
  try {
    return decode(input, limits, everything);
  } catch (const Error& error) {
    if (is_cancellation(error.code())) throw;
    const std::string_view text = error.what();
    const std::string name = input.path.string();
    throw Error(error.code(), text.starts_with(name) ? std::string(text) : fmt::format("{}: {}", name, text));
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kNoMemory, "{}: not enough memory for the picture", input.path.string());
  }
}

}  // namespace

Picture read_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  return read({path, {}}, limits, false).picture;
}

Picture decode_picture(std::span<const std::byte> file, const ReadLimits& limits) {
  if (file.empty()) fail(ErrorCode::kMalformed, "no bytes: not a picture; {}", kFormats);
  return read({"the picture in memory", file}, limits, false).picture;
}

SourcePicture read_source(const std::filesystem::path& path, const ReadLimits& limits) {
  return read({path, {}}, limits, true);
}

}  // namespace sealite::image

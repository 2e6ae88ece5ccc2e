#include "image/picture.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "image/vips_image.h"

namespace sealite::image {
namespace {

constexpr const char* kFormats = "JPEG, PNG, WebP, AVIF/HEIC and TIFF are read";

using Loader = int (*)(const char* filename, VipsImage** out, ...);

/// The loader for a file that starts with `start`, or null. Only these five ever see the bytes: libvips knows
/// many more formats, and its own search would try them all.
Loader find_loader(std::string_view start) {
  using namespace std::string_view_literals;
  if (start.starts_with("\xFF\xD8\xFF"sv)) return vips_jpegload;
  if (start.starts_with("\x89PNG\r\n\x1A\n"sv)) return vips_pngload;
  if (start.starts_with("RIFF"sv) && start.substr(8).starts_with("WEBP"sv)) return vips_webpload;
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (start.starts_with(magic)) return vips_tiffload;
  }
  if (start.substr(4).starts_with("ftyp"sv)) {
    const std::string_view brand = start.substr(8, 4);
    for (const auto known :
         {"avif"sv, "avis"sv, "mif1"sv, "msf1"sv, "heic"sv, "heix"sv, "heim"sv, "heis"sv}) {
      if (brand == known) return vips_heifload;
    }
  }
  return nullptr;
}

Loader loader_for(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, ignored))
    file.open(path, std::ios::binary);  // a pipe would block
  if (!file.is_open()) fail(ErrorCode::kNotFound, "{}: no such picture file", path.string());
  std::array<char, 12> start = {};
  file.read(start.data(), start.size());
  const std::string_view found(start.data(), static_cast<std::size_t>(file.gcount()));
  const Loader loader = found.size() == start.size() ? find_loader(found) : nullptr;
  if (loader == nullptr) fail(ErrorCode::kMalformed, "{}: not a picture; {}", path.string(), kFormats);
  return loader;
}

/// Opens the file and reads its header; the pixels come later, row by row.
Image open_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  const Loader load = loader_for(path);
  VipsImage* opened = nullptr;
  check_vips(
      load(path.c_str(), &opened, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr),
      ErrorCode::kMalformed, "broken picture");
  Image image(opened);
  const auto width = static_cast<std::uint64_t>(vips_image_get_width(opened));
  const auto height = static_cast<std::uint64_t>(vips_image_get_height(opened));
  const auto pixels = checked_multiply(width, height);
  if (!pixels || *pixels > limits.max_pixels) {
    fail(ErrorCode::kUnsupported, "{} x {} pixels are more than the limit of {}", width, height,
         limits.max_pixels);
  }
  return image;
}

/// CMYK as it is, everything else as three 8-bit bands.
Image convert_bands(Image image) {
  VipsImage* next = nullptr;
  const bool cmyk = image.get()->Type == VIPS_INTERPRETATION_CMYK && vips_image_get_bands(image.get()) >= 4;
  if (!cmyk) {
    check_vips(vips_colourspace(image.get(), &next, VIPS_INTERPRETATION_sRGB, nullptr),
               ErrorCode::kUnsupported, "the picture's colours cannot be converted to RGB");
    image = Image(next);
  }
  check_vips(vips_extract_band(image.get(), &next, 0, "n", cmyk ? 4 : 3, nullptr), ErrorCode::kUnsupported,
             "the picture has too few colour bands");
  image = Image(next);
  if (vips_image_get_format(image.get()) != VIPS_FORMAT_UCHAR) {
    const bool wide = vips_image_get_format(image.get()) == VIPS_FORMAT_USHORT;
    check_vips(wide ? vips_msb(image.get(), &next, nullptr)
                    : vips_cast(image.get(), &next, VIPS_FORMAT_UCHAR, nullptr),
               ErrorCode::kUnsupported, "the picture's samples cannot be converted to 8 bits");
    image = Image(next);
  }
  return image;
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

/// Pulls the rows through the pipeline strip by strip, in this thread: libvips' own sinks call back from
/// others.
Picture read_pixels(VipsImage* image) {
  constexpr int kStrip = 16;
  Picture picture;
  picture.height = vips_image_get_height(image);
  picture.width = vips_image_get_width(image);
  const auto width = static_cast<std::size_t>(picture.width);
  picture.rgb.resize(static_cast<std::size_t>(picture.height) * width * 3);
  const bool cmyk = vips_image_get_bands(image) == 4;
  const Region region(vips_region_new(image));
  std::uint8_t* out = picture.rgb.data();
  for (int top = 0; top < picture.height; top += kStrip) {
    const VipsRect strip = {0, top, static_cast<int>(picture.width),
                            std::min(kStrip, static_cast<int>(picture.height) - top)};
    check_vips(vips_region_prepare(region.get(), &strip), ErrorCode::kMalformed,
               "broken or truncated picture");
    for (int y = top; y < top + strip.height; ++y, out += width * 3) {
      const VipsPel* in = VIPS_REGION_ADDR(region.get(), 0, y);
      if (cmyk) {
        cmyk_to_rgb(in, out, width);
      } else {
        std::memcpy(out, in, width * 3);
      }
    }
  }
  return picture;
}

/// Does to the pixels what EXIF says about the camera's position.
Picture rotate_upright(const Picture& picture, int orientation) {
  const Image stored(vips_image_new_from_memory(picture.rgb.data(), picture.rgb.size(),
                                                static_cast<int>(picture.width),
                                                static_cast<int>(picture.height), 3, VIPS_FORMAT_UCHAR));
  check_vips(stored == nullptr, ErrorCode::kInternal, "cannot turn the picture");
  vips_image_set_int(stored.get(), VIPS_META_ORIENTATION, orientation);
  VipsImage* upright = nullptr;
  check_vips(vips_autorot(stored.get(), &upright, nullptr), ErrorCode::kInternal, "cannot turn the picture");
  return read_pixels(Image(upright).get());
}

Picture decode(const std::filesystem::path& path, const ReadLimits& limits) {
  Image image = open_picture(path, limits);
  const int orientation = vips_image_get_orientation(image.get());
  image = convert_bands(std::move(image));
  Picture picture = read_pixels(image.get());
  if (orientation > 1) picture = rotate_upright(picture, orientation);
  return picture;
}

}  // namespace

Picture read_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  start_vips();
  try {
    return decode(path, limits);
  } catch (const Error& error) {
    const std::string_view text = error.what();
    const std::string name = path.string();
    throw Error(error.code(), text.starts_with(name) ? std::string(text) : fmt::format("{}: {}", name, text));
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kInternal, "{}: not enough memory for the picture", path.string());
  }
}

}  // namespace sealite::image

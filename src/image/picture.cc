#include "image/picture.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "image/beside.h"
#include "image/decode_budget.h"
#include "image/examine.h"
#include "image/metadata.h"
#include "image/picture_input.h"
#include "image/samples.h"
#include "image/vips_image.h"

namespace sealite::image {
namespace {

/// Runs the loader, and not out of libvips' cache of operations, where a host may have left it: the file may
/// be another by now. nullptr with libvips' error if it cannot.
VipsImage* load(const PictureFormat& format, const PictureInput& input, VipsFailOn fail_on) {
  const bool in_memory = !input.bytes.empty();
  const std::string name = std::string(format.loader) + (in_memory ? "_source" : "");
  const std::unique_ptr<VipsOperation, Unref> operation(vips_operation_new(name.c_str()));
  if (!operation) {  // built without what reads these: a wheel's has no JPEG XL, for one
    vips_error_clear();
    fail(ErrorCode::kUnsupported, "the libvips {}.{} that is loaded reads no such files: it has no {}",
         vips_version(0), vips_version(1), name);
  }
  g_object_set(operation.get(), "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on, nullptr);
  if (in_memory) {
    const std::unique_ptr<VipsSource, Unref> source(
        vips_source_new_from_memory(input.bytes.data(), input.bytes.size()));
    g_object_set(operation.get(), "source", source.get(), nullptr);
  } else {
    g_object_set(operation.get(), "filename", input.path.c_str(), nullptr);
  }
  VipsImage* image = nullptr;
  if (vips_object_build(VIPS_OBJECT(operation.get())) == 0)
    g_object_get(operation.get(), "out", &image, nullptr);
  vips_object_unref_outputs(VIPS_OBJECT(operation.get()));
  return image;
}

/// A JPEG that lacks its end marker alone is read as browsers do. With one behind it libjpeg tells whether
/// that was all that is missing: then it has nothing to warn of.
void add_jpeg_end(PictureInput& input) {
  constexpr std::array<std::byte, 2> kEnd = {std::byte{0xFF}, std::byte{0xD9}};
  if (input.bytes.empty()) {
    input.own = read_whole(input.path, kEnd);
  } else if (input.own.empty()) {
    input.own.assign(input.bytes.begin(), input.bytes.end());
    input.own.insert(input.own.end(), kEnd.begin(), kEnd.end());
  } else {
    input.own.insert(input.own.end(), kEnd.begin(), kEnd.end());
  }
  input.bytes = input.own;
}

/// Opens the file and reads its header; the pixels come later, row by row. `input` has to stay.
Image open_picture(const KnownFile& file, PictureInput& input, const ReadLimits& limits) {
  if (file.lacks_end) add_jpeg_end(input);
  Image image(load(file.format, input, file.lacks_end ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_ERROR));
  check_vips(image ? 0 : -1, ErrorCode::kMalformed, "broken picture");
  check_decode_budget(image.get(), file.format.decoder, file.jpeg, limits.max_pixels);
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

/// libvips' cache of rows lets an error of the last ones pass, and libjpeg's words stay.
void check_only_end_was_missing() {
  const bool more = std::string_view(vips_error_buffer()).find("VipsJpeg") != std::string_view::npos;
  check_vips(more ? -1 : 0, ErrorCode::kMalformed, "broken or truncated picture");
}

std::shared_ptr<const Metadata> metadata_of(VipsImage* image, const PictureInput& input, Decoder decoder) {
  constexpr double kMillimetres = 1000;
  Beside beside = read_beside(input, decoder);
  // Of others libvips has EXIF's, which stays there.
  if (decoder == Decoder::kTiff && vips_image_get_typeof(image, VIPS_META_RESOLUTION_UNIT) != 0)
    beside.density = PixelDensity{image->Xres * kMillimetres, image->Yres * kMillimetres, false};
  return std::make_shared<const Metadata>(image, std::move(beside));
}

/// Everything, or without alpha and metadata.
SourcePicture decode(PictureInput input, const ReadLimits& limits, bool everything) {
  const MemoryWatch memory;
  const KnownFile file = examine(input);
  Image image = open_picture(file, input, limits);
  SourcePicture source;
  source.bits = static_cast<int>(8 * vips_format_sizeof(vips_image_get_format(image.get())));
  source.colours = file.tiff.lab ? "CIELAB" : colours_of(image.get());
  source.pages = std::max(file.frames, vips_image_get_n_pages(image.get()));
  if (everything) source.metadata = metadata_of(image.get(), input, file.format.decoder);
  Image bands = convert_bands(image.get(), file.tiff);
  const bool alpha = everything && has_alpha(image.get());
  if (alpha) bands = add_alpha(image.get(), bands);
  source.picture = read_pixels(bands.get(), alpha ? &source.alpha : nullptr);
  if (file.lacks_end) check_only_end_was_missing();
  const int orientation = vips_image_get_orientation(image.get());
  bands.reset();
  image.reset();  // the decoder and what it holds, before a second picture is made
  if (orientation > 1) rotate_upright(source, orientation);
  memory.check();
  if (file.lacks_end)
    log_warning("'{}': the JPEG's end marker is missing; nothing else is", input.path.string());
  return source;
}

SourcePicture read(PictureInput input, const ReadLimits& limits, bool everything) {
  start_vips();
  vips_error_clear();  // of what an earlier picture could be read in spite of
  const std::string name = input.path.string();
  try {
    return decode(std::move(input), limits, everything);
  } catch (const Error& error) {
    if (is_cancellation(error.code())) throw;
    const std::string_view text = error.what();
    throw Error(error.code(), text.starts_with(name) ? std::string(text) : fmt::format("{}: {}", name, text));
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kNoMemory, "{}: not enough memory for the picture", name);
  }
}

/// A compressed picture that is larger than its pixels is none that anybody has.
std::size_t most_pipe_bytes(const ReadLimits& limits) {
  constexpr std::uint64_t kSmall = 64'000'000;
  constexpr std::uint64_t kLarge = 512'000'000;
  return static_cast<std::size_t>(std::clamp(3 * std::min(limits.max_pixels, kLarge), kSmall, kLarge));
}

}  // namespace

Picture read_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  return read(open_input(path, most_pipe_bytes(limits)), limits, false).picture;
}

Picture decode_picture(std::span<const std::byte> file, const ReadLimits& limits) {
  if (file.empty()) fail(ErrorCode::kMalformed, "no bytes: not a picture; {}", kFormatsRead);
  return read({"the picture in memory", file, {}}, limits, false).picture;
}

SourcePicture read_source(const std::filesystem::path& path, const ReadLimits& limits) {
  return read(open_input(path, most_pipe_bytes(limits)), limits, true);
}

}  // namespace sealite::image

#include "image/metadata.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/long_xmp.h"
#include "image/picture.h"

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

/// What libvips calls an AVIF's text if it does not know it as XMP, which may begin with more than its
/// element.
constexpr std::string_view kHeifText = "heif-mime-";

bool is_kept(std::string_view name) {
  constexpr std::string_view kNames[] = {VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME, VIPS_META_ICC_NAME,
                                         VIPS_META_RESOLUTION_UNIT};
  return std::ranges::find(kNames, name) != std::end(kNames) || name.starts_with("exif-ifd") ||
         name.starts_with(kHeifText);
}

/// Blocks are copied: those of libvips' HEIF loader are freed with the image that they came from.
void* copy_to(VipsImage*, const char* name, GValue* value, void* to) {
  auto* const image = static_cast<VipsImage*>(to);
  if (!is_kept(name)) return nullptr;
  if (G_VALUE_TYPE(value) != VIPS_TYPE_BLOB) {
    vips_image_set(image, name, value);
    return nullptr;
  }
  std::size_t size = 0;
  const void* data = vips_value_get_blob(value, &size);
  vips_image_set_blob_copy(image, name, data, size);
  return nullptr;
}

std::span<const std::uint8_t> find_blob(VipsImage* image, const char* name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(image, name) != VIPS_TYPE_BLOB ||
      vips_image_get_blob(image, name, &data, &size) != 0) {
    return {};
  }
  return {static_cast<const std::uint8_t*>(data), size};
}

/// Replaces the block `name` by a copy that `change` has changed.
template <typename Change>
void change_blob(VipsImage* image, const char* name, const Change& change) {
  const auto blob = find_blob(image, name);
  if (blob.empty()) return;
  std::vector<std::uint8_t> bytes(blob.begin(), blob.end());
  change(std::span(bytes));
  vips_image_set_blob_copy(image, name, bytes.data(), bytes.size());
}

/// Bytes 16 to 19 of an ICC profile name the colours that it is for.
bool has_rgb_profile(VipsImage* image) {
  const auto profile = find_blob(image, VIPS_META_ICC_NAME);
  return profile.size() >= 128 && std::memcmp(profile.data() + 16, "RGB ", 4) == 0;
}

/// Of an AVIF the first text that is XMP, and no other.
void take_heif_xmp(VipsImage* image) {
  char** const names = vips_image_get_fields(image);
  for (char** name = names; name != nullptr && *name != nullptr; ++name) {
    if (!std::string_view(*name).starts_with(kHeifText)) continue;
    const auto blob = find_blob(image, *name);
    const std::string_view text(reinterpret_cast<const char*>(blob.data()), blob.size());
    if (text.find("rdf:RDF") != std::string_view::npos && find_blob(image, VIPS_META_XMP_NAME).empty())
      vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, blob.data(), blob.size());
    vips_image_remove(image, *name);
  }
  g_strfreev(names);
}

/// An EXIF block from its byte order on; none if it is too short.
struct ExifBytes {
  std::span<std::uint8_t> bytes;
  bool big = false;

  explicit ExifBytes(std::span<std::uint8_t> exif) {
    const std::string_view text(reinterpret_cast<const char*>(exif.data()), exif.size());
    bytes = exif.subspan(text.starts_with("Exif\0\0"sv) ? 6 : 0);
    if (bytes.size() < 8) bytes = {};
    big = !bytes.empty() && bytes[0] == 'M';
  }
  /// 0 beyond the end.
  std::size_t number(std::size_t at, std::size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) return 0;
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | bytes[at + (big ? i : size - 1 - i)];
    return value;
  }
  /// `body(tag, at)` for each field of the directory there, as far as it lies inside.
  template <typename Body>
  void for_each_field(std::size_t directory, const Body& body) const {
    const std::size_t entries = number(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t at = directory + 2 + 12 * i;
      if (at + 12 > bytes.size()) return;
      body(static_cast<unsigned>(number(at, 2)), at);
    }
  }
};

/// Behind an XMP property's name: tiff:Orientation="6", or <tiff:Orientation>6</tiff:Orientation>.
std::size_t skip_to_xmp_value(std::string_view xmp, std::size_t at) {
  return std::min(xmp.find_first_not_of(" =\"'>\t\r\n", at), xmp.size());
}

/// Where a property's number or fraction begins, and its letters; none are there if it has none.
std::pair<std::size_t, std::size_t> find_xmp_number(std::string_view xmp, std::string_view name) {
  const std::size_t found = xmp.find(name);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = skip_to_xmp_value(xmp, found + name.size());
  const std::size_t end = std::min(xmp.find_first_not_of("0123456789/", begin), xmp.size());
  return {begin, end - begin};
}

}  // namespace

void Metadata::take_long_xmp(VipsImage* fields) {
  if (beside_.long_xmp.empty()) return;
  // libvips takes the first that comes.
  const auto whole = join_xmp(beside_.brief_xmp, beside_.long_xmp);
  const std::string& xmp = whole ? *whole : beside_.brief_xmp;
  if (!whole)
    beside_.lost.emplace_back("the part of its XMP that lies in further segments is left out: it is broken");
  vips_image_remove(fields, VIPS_META_XMP_NAME);
  if (!xmp.empty()) vips_image_set_blob_copy(fields, VIPS_META_XMP_NAME, xmp.data(), xmp.size());
  beside_.long_xmp.clear();
}

void Metadata::swap_axes(VipsImage* fields) {
  change_blob(fields, VIPS_META_EXIF_NAME, swap_exif_axes);
  const auto xmp = find_blob(fields, VIPS_META_XMP_NAME);
  if (!xmp.empty()) {
    const std::string swapped = swap_xmp_axes({reinterpret_cast<const char*>(xmp.data()), xmp.size()});
    vips_image_set_blob_copy(fields, VIPS_META_XMP_NAME, swapped.data(), swapped.size());
  }
  std::swap(fields->Xres, fields->Yres);
  if (beside_.density) std::swap(beside_.density->x, beside_.density->y);
}

Metadata::Metadata(VipsImage* source, Beside beside) : beside_(std::move(beside)) {
  VipsImage* fields = nullptr;
  check_vips(vips_black(&fields, 1, 1, nullptr), ErrorCode::kInternal, "cannot keep the picture's metadata");
  fields_ = Image(fields);
  vips_image_map(source, copy_to, fields);
  fields->Xres = source->Xres;
  fields->Yres = source->Yres;
  if (vips_image_get_typeof(fields, VIPS_META_ICC_NAME) != 0 && !has_rgb_profile(fields))
    vips_image_remove(fields, VIPS_META_ICC_NAME);
  take_heif_xmp(fields);
  take_long_xmp(fields);
  constexpr int kFirstTurned = 5;
  if (vips_image_get_orientation(source) >= kFirstTurned) swap_axes(fields);
  change_blob(fields, VIPS_META_EXIF_NAME, reset_exif_orientation);
  change_blob(fields, VIPS_META_EXIF_NAME, remove_exif_thumbnail);
  if (beside_.gain_map) vips_image_remove(fields, VIPS_META_XMP_NAME);
  change_blob(fields, VIPS_META_XMP_NAME, reset_xmp_orientation);
  vips_autorot_remove_angle(fields);  // libvips' own copies of the EXIF field
}

void Metadata::put_on(VipsImage* image) const {
  vips_image_map(fields_.get(), copy_to, image);
  image->Xres = fields_->Xres;
  image->Yres = fields_->Yres;
}

std::vector<std::uint8_t> Metadata::block(const char* name) const {
  const auto blob = find_blob(fields_.get(), name);
  return {blob.begin(), blob.end()};
}

std::vector<std::uint8_t> metadata_block(const Metadata& metadata, MetadataBlock block) {
  constexpr const char* kNames[] = {VIPS_META_ICC_NAME, VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME};
  return metadata.block(kNames[static_cast<std::size_t>(block)]);
}

void reset_exif_orientation(std::span<std::uint8_t> exif) {
  constexpr unsigned kOrientation = 0x0112;
  const ExifBytes tiff(exif);
  tiff.for_each_field(tiff.number(4, 4), [&](unsigned tag, std::size_t at) {
    if (tag != kOrientation) return;
    tiff.bytes[at + 8] = tiff.big ? 0 : 1;
    tiff.bytes[at + 9] = tiff.big ? 1 : 0;
  });
}

void swap_exif_axes(std::span<std::uint8_t> exif) {
  constexpr unsigned kExifDirectory = 0x8769;
  // ImageWidth and ImageLength, the resolutions, PixelXDimension and PixelYDimension, the focal plane's
  // resolutions.
  constexpr std::pair<unsigned, unsigned> kAxes[] = {
      {0x0100, 0x0101}, {0x011A, 0x011B}, {0xA002, 0xA003}, {0xA20E, 0xA20F}};
  const ExifBytes tiff(exif);
  std::size_t inner = 0;
  const auto swap_in = [&](std::size_t directory) {
    std::map<unsigned, std::size_t> places;
    tiff.for_each_field(directory, [&](unsigned tag, std::size_t at) {
      places.emplace(tag, at);
      if (tag == kExifDirectory) inner = tiff.number(at + 8, 4);
    });
    for (const auto& [x, y] : kAxes) {
      if (!places.contains(x) || !places.contains(y)) continue;
      // Type, count, and the value or where it lies.
      std::ranges::swap_ranges(tiff.bytes.subspan(places[x] + 2, 10), tiff.bytes.subspan(places[y] + 2, 10));
    }
  };
  swap_in(tiff.number(4, 4));
  if (inner != 0) swap_in(inner);
}

std::string swap_xmp_axes(std::string xmp) {
  constexpr std::pair<std::string_view, std::string_view> kAxes[] = {
      {"tiff:ImageWidth", "tiff:ImageLength"},
      {"tiff:XResolution", "tiff:YResolution"},
      {"exif:PixelXDimension", "exif:PixelYDimension"},
      {"exif:FocalPlaneXResolution", "exif:FocalPlaneYResolution"}};
  for (const auto& [x, y] : kAxes) {
    const auto [first, second] = std::pair(find_xmp_number(xmp, x), find_xmp_number(xmp, y));
    if (first.second == 0 || second.second == 0) continue;
    const auto& [low, high] = std::minmax(first, second);
    const std::string value = xmp.substr(low.first, low.second);
    const std::string other = xmp.substr(high.first, high.second);
    xmp.replace(high.first, high.second, value);
    xmp.replace(low.first, low.second, other);
  }
  return xmp;
}

void remove_exif_thumbnail(std::span<std::uint8_t> exif) {
  constexpr unsigned kThumbnail = 0x0201;
  constexpr unsigned kThumbnailLength = 0x0202;
  const ExifBytes tiff(exif);
  const std::size_t first = tiff.number(4, 4);
  const std::size_t link = first + 2 + 12 * tiff.number(first, 2);
  const std::size_t directory = tiff.number(link, 4);
  if (directory == 0 || link + 4 > tiff.bytes.size()) return;
  std::size_t begin = 0;
  std::size_t length = 0;
  tiff.for_each_field(directory, [&](unsigned tag, std::size_t at) {
    if (tag == kThumbnail) begin = tiff.number(at + 8, 4);
    if (tag == kThumbnailLength) length = tiff.number(at + 8, 4);
  });
  if (begin > link + 4 && begin < tiff.bytes.size())
    std::ranges::fill(tiff.bytes.subspan(begin, std::min(length, tiff.bytes.size() - begin)), 0);
  std::ranges::fill(tiff.bytes.subspan(link, 4), 0);
}

void reset_xmp_orientation(std::span<std::uint8_t> xmp) {
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    const std::size_t digit = skip_to_xmp_value(text, at + kName.size());
    if (digit < text.size() && text[digit] >= '1' && text[digit] <= '9') xmp[digit] = '1';
  }
}

}  // namespace sealite::image

#include "image/metadata.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "image/picture.h"

namespace sealite::image {
namespace {

using namespace std::string_view_literals;

bool is_kept(std::string_view name) {
  constexpr std::string_view kNames[] = {VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME, VIPS_META_IPTC_NAME,
                                         VIPS_META_ICC_NAME, VIPS_META_RESOLUTION_UNIT};
  return std::ranges::find(kNames, name) != std::end(kNames) || name.starts_with("exif-ifd");
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
};

}  // namespace

Metadata::Metadata(VipsImage* source, Beside beside) : beside_(std::move(beside)) {
  VipsImage* fields = nullptr;
  check_vips(vips_black(&fields, 1, 1, nullptr), ErrorCode::kInternal, "cannot keep the picture's metadata");
  fields_ = Image(fields);
  vips_image_map(source, copy_to, fields);
  fields->Xres = source->Xres;
  fields->Yres = source->Yres;
  if (vips_image_get_typeof(fields, VIPS_META_ICC_NAME) != 0 && !has_rgb_profile(fields))
    vips_image_remove(fields, VIPS_META_ICC_NAME);
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
  constexpr const char* kNames[] = {VIPS_META_ICC_NAME, VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME,
                                    VIPS_META_IPTC_NAME};
  return metadata.block(kNames[static_cast<std::size_t>(block)]);
}

void reset_exif_orientation(std::span<std::uint8_t> exif) {
  constexpr unsigned kOrientation = 0x0112;
  const ExifBytes tiff(exif);
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (at + 12 > tiff.bytes.size()) return;
    if (tiff.number(at, 2) != kOrientation) continue;
    tiff.bytes[at + 8] = tiff.big ? 0 : 1;
    tiff.bytes[at + 9] = tiff.big ? 1 : 0;
  }
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
  for (std::size_t i = 0; i < tiff.number(directory, 2); ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if (at + 12 > tiff.bytes.size()) break;
    if (tiff.number(at, 2) == kThumbnail) begin = tiff.number(at + 8, 4);
    if (tiff.number(at, 2) == kThumbnailLength) length = tiff.number(at + 8, 4);
  }
  if (begin > link + 4 && begin < tiff.bytes.size())
    std::ranges::fill(tiff.bytes.subspan(begin, std::min(length, tiff.bytes.size() - begin)), 0);
  std::ranges::fill(tiff.bytes.subspan(link, 4), 0);
}

void reset_xmp_orientation(std::span<std::uint8_t> xmp) {
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  constexpr std::string_view kName = "tiff:Orientation";
  for (std::size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    // tiff:Orientation="6", or <tiff:Orientation>6</tiff:Orientation>
    std::size_t digit = at + kName.size();
    while (digit < text.size() && " =\"'>\t\r\n"sv.find(text[digit]) != std::string_view::npos) ++digit;
    if (digit < text.size() && text[digit] >= '1' && text[digit] <= '9') xmp[digit] = '1';
  }
}

}  // namespace sealite::image

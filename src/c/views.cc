#include "c/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "c/structs.h"
#include "pixels/rgb_rows.h"

namespace sealite::c {
namespace {

template <typename View, typename Given>
View to_view(const Given* given, const char* name) {
  const Given pixels = known(given, name);
  if (pixels.reserved != 0) fail(ErrorCode::kUsage, "'{}': reserved is {}, not 0", name, pixels.reserved);
  View view;
  view.format = choice_of<PixelFormat>(pixels.format, 7, "format");
  view.matrix = choice_of<YuvMatrix>(pixels.matrix, 2, "matrix");
  view.full_range = pixels.full_range != 0;
  view.width = pixels.width;
  view.height = pixels.height;
  std::ranges::copy(pixels.planes, view.planes.begin());
  std::ranges::copy(pixels.strides, view.strides.begin());
  return view;
}

std::string name_of(std::size_t index) {
  return fmt::format("pixels {}", index);
}

Picture copy_of(const PixelView& view) {
  const pixels::RgbRows rows(view);
  Picture picture{rows.height(), rows.width(), {}};
  const auto row_bytes = static_cast<std::size_t>(3 * rows.width());
  std::vector<std::uint8_t> scratch(row_bytes);
  picture.rgb.reserve(row_bytes * static_cast<std::size_t>(rows.height()));
  for (std::int64_t y = 0; y < rows.height(); ++y) {
    const auto row = rows.row(y, scratch);
    picture.rgb.insert(picture.rgb.end(), row.begin(), row.end());
  }
  return picture;
}

}  // namespace

PixelView view_of(const sealite_pixels* pixels, const char* name) {
  return to_view<PixelView>(pixels, name);
}

MutablePixelView view_of(const sealite_mutable_pixels* pixels, const char* name) {
  return to_view<MutablePixelView>(pixels, name);
}

std::vector<PixelView> views_of(const sealite_pixels* const* pictures, std::size_t count, const char* name) {
  std::vector<PixelView> views;
  for (const sealite_pixels* const picture : array_of(pictures, count, name))
    views.push_back(view_of(picture, name));
  return views;
}

std::vector<std::filesystem::path> NamedPixels::names() const {
  std::vector<std::filesystem::path> names;
  for (std::size_t i = 0; i < views_.size(); ++i) names.emplace_back(name_of(i));
  return names;
}

pixels::PictureReader NamedPixels::reader() const {
  return [this](const std::filesystem::path& file, std::uint64_t /*max_pixels*/) {
    for (std::size_t i = 0; i < views_.size(); ++i) {
      if (file == name_of(i)) return copy_of(views_[i]);
    }
    fail(ErrorCode::kUnsupported, "'{}': this library reads no picture files: pass pixels", file.string());
  };
}

}  // namespace sealite::c

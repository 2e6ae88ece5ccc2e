#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <span>

#include "base/error.h"
#include "bindings/host.h"
#include "bindings/pixels_view.h"
#include "late_vips/library.h"
#include "sealite/files.h"

namespace sealite::python {
namespace {

PixelFormat format_for(std::size_t channels) {
  if (channels == 1) return PixelFormat::kGrey;
  if (channels == 3) return PixelFormat::kRgb;
  if (channels == 4) return PixelFormat::kRgba;
  fail(ErrorCode::kUsage,
       "{} channels in a picture; expected height, width and 1, 3 or 4 channels (grey, RGB, RGBA)", channels);
}

template <typename View, typename Array>
View view_array(const Array& array) {
  const auto width = static_cast<std::int64_t>(array.shape(1));
  const auto channels = static_cast<std::int64_t>(array.shape(2));
  View view;
  view.format = format_for(array.shape(2));
  view.height = static_cast<std::int64_t>(array.shape(0));
  view.width = width;
  const bool packed = (channels == 1 || array.stride(2) == 1) &&
                      (width == 1 || array.stride(1) == channels) &&
                      (view.height == 1 || array.stride(0) >= width * channels);
  if (!packed)
    fail(ErrorCode::kUsage, "pixels with gaps between them or in another order; pass a contiguous array");
  view.planes[0] = array.data();
  view.strides[0] = view.height == 1 ? width * channels : array.stride(0);
  return view;
}

/// numpy's, but the memory is the decoder's.
nb::object as_array(Picture picture) {
  auto owned = std::make_unique<Picture>(std::move(picture));
  const std::size_t shape[] = {static_cast<std::size_t>(owned->height),
                               static_cast<std::size_t>(owned->width), 3};
  std::uint8_t* const data = owned->rgb.data();
  const nb::capsule owner(owned.release(),
                          [](void* kept) noexcept { delete static_cast<Picture*>(kept); });  // NOLINT
  return nb::cast(nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<3>>(data, 3, shape, owner));
}

nb::object read_picture_file(Host& host, const std::filesystem::path& file, std::uint64_t max_pixels) {
  return as_array(host.run([&] { return read_picture(file, {max_pixels}, host.context()); }));
}

nb::object decode_picture_bytes(Host& host, const nb::bytes& file, std::uint64_t max_pixels) {
  const std::span bytes(static_cast<const std::byte*>(file.data()), file.size());
  return as_array(host.run([&] { return decode_picture(bytes, {max_pixels}, host.context()); }));
}

}  // namespace

PixelView view_of(const PixelArray& array) {
  return view_array<PixelView>(array);
}

MutablePixelView mutable_view_of(const MutablePixelArray& array) {
  return view_array<MutablePixelView>(array);
}

void bind_pictures(nb::module_& module) {
  module.def("set_libvips", &late_vips::set_library, nb::arg("library"));
  module.def("read_picture", &read_picture_file, nb::arg("host"), nb::arg("file"), nb::arg("max_pixels"));
  module.def("decode_picture", &decode_picture_bytes, nb::arg("host"), nb::arg("file"),
             nb::arg("max_pixels"));
  module.def("check_output_format", &check_output_format, nb::arg("file"));
  module.attr("MAX_PIXELS") = kMaxPixels;
}

}  // namespace sealite::python

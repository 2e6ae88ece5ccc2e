#include "image/samples.h"

namespace sealite::image {
namespace {

struct UnrefArea {
  void operator()(VipsArrayDouble* array) const { vips_area_unref(VIPS_AREA(array)); }
};

/// The high byte of whole numbers. Others have no black and white that a rule gives: 1.0, 255 and the largest
/// that is there are all in use.
Image convert_depth(VipsImage* image) {
  constexpr int kHighByteOf32 = 24;
  VipsImage* next = nullptr;
  Image shifted;
  switch (vips_image_get_format(image)) {
    case VIPS_FORMAT_UCHAR:
      check_vips(vips_copy(image, &next, nullptr), ErrorCode::kInternal, "no copy");
      return Image(next);
    case VIPS_FORMAT_USHORT:
      check_vips(vips_msb(image, &next, nullptr), ErrorCode::kUnsupported, "the samples have no high byte");
      return Image(next);
    case VIPS_FORMAT_UINT:
      check_vips(vips_rshift_const1(image, &next, kHighByteOf32, nullptr), ErrorCode::kUnsupported,
                 "the samples have no high byte");
      shifted = Image(next);
      check_vips(vips_cast(shifted.get(), &next, VIPS_FORMAT_UCHAR, nullptr), ErrorCode::kUnsupported,
                 "the samples cannot be converted to 8 bits");
      return Image(next);
    default:
      fail(ErrorCode::kUnsupported,
           "signed or floating-point samples, of which nothing says what is black and what is white; save it "
           "with 8 or 16 bits");
  }
}

/// CIELAB, packed or not, to 8-bit RGB. Its white is D50, as Photoshop and ICC profiles have it, and sRGB's
/// D65: adapted by Bradford's matrix.
Image convert_lab(VipsImage* image) {
  VipsImage* next = nullptr;
  const auto step = [&next](int status) {
    check_vips(status, ErrorCode::kUnsupported, "the picture's CIELAB cannot be converted to RGB");
    return Image(next);
  };
  const Image lab = step(vips_colourspace(image, &next, VIPS_INTERPRETATION_LAB, nullptr));
  double d50[] = {96.422, 100.0, 82.521};
  const std::unique_ptr<VipsArrayDouble, UnrefArea> white(vips_array_double_new(d50, 3));
  const Image xyz = step(vips_Lab2XYZ(lab.get(), &next, "temp", white.get(), nullptr));
  double bradford[] = {0.9555766, -0.0230393, 0.0631636,  -0.0282895, 1.0099416,
                       0.0210077, 0.0122982,  -0.0204830, 1.3299098};
  const Image matrix(vips_image_new_matrix_from_array(3, 3, bradford, 9));
  const Image adapted = step(vips_recomb(xyz.get(), &next, matrix.get(), nullptr));
  const Image named =
      step(vips_copy(adapted.get(), &next, "interpretation", VIPS_INTERPRETATION_XYZ, nullptr));
  const Image rgb = step(vips_colourspace(named.get(), &next, VIPS_INTERPRETATION_sRGB, nullptr));
  return step(vips_extract_band(rgb.get(), &next, 0, "n", 3, nullptr));
}

/// 32-bit samples in 8, with the words for them that libvips lacks.
Image convert_wide(VipsImage* image) {
  const Image narrow = convert_depth(image);
  VipsImage* next = nullptr;
  const bool grey = vips_image_get_bands(image) < 3;
  check_vips(vips_copy(narrow.get(), &next, "interpretation",
                       grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, nullptr),
             ErrorCode::kInternal, "no copy");
  return Image(next);
}

}  // namespace

bool is_cmyk(VipsImage* image) {
  return image->Type == VIPS_INTERPRETATION_CMYK && vips_image_get_bands(image) >= 4;
}

Image convert_bands(VipsImage* image, const TiffSamples& tiff) {
  if (tiff.lab) return convert_lab(image);
  VipsImage* next = nullptr;
  const bool cmyk = is_cmyk(image);
  Image narrow;
  if (!cmyk && vips_image_get_format(image) == VIPS_FORMAT_UINT) {
    narrow = convert_wide(image);
    image = narrow.get();
  }
  const VipsBandFormat format = vips_image_get_format(image);
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) convert_depth(image);  // says why not
  Image colours;
  if (!cmyk) {
    check_vips(vips_colourspace(image, &next, VIPS_INTERPRETATION_sRGB, nullptr), ErrorCode::kUnsupported,
               "the picture's colours cannot be converted to RGB");
    colours = Image(next);
    image = next;
  }
  check_vips(vips_extract_band(image, &next, 0, "n", cmyk ? 4 : 3, nullptr), ErrorCode::kUnsupported,
             "the picture has too few colour bands");
  const Image bands(next);
  return convert_depth(bands.get());
}

bool has_alpha(VipsImage* image) {
  const VipsBandFormat format = vips_image_get_format(image);
  return vips_image_get_coding(image) == VIPS_CODING_NONE && !is_cmyk(image) &&
         vips_image_get_bands(image) != 3 && vips_image_hasalpha(image) != 0 &&
         (format == VIPS_FORMAT_UCHAR || format == VIPS_FORMAT_USHORT || format == VIPS_FORMAT_UINT);
}

Image add_alpha(VipsImage* image, const Image& rgb) {
  VipsImage* next = nullptr;
  // The second of two is grey's alpha, the fourth of four or more RGB's.
  const int band = vips_image_get_bands(image) == 2 ? 1 : 3;
  check_vips(vips_extract_band(image, &next, band, nullptr), ErrorCode::kInternal, "no alpha");
  const Image narrow(next);
  const Image alpha = convert_depth(narrow.get());
  check_vips(vips_bandjoin2(rgb.get(), alpha.get(), &next, nullptr), ErrorCode::kInternal,
             "cannot add alpha");
  return Image(next);
}

}  // namespace sealite::image

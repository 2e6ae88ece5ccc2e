#include <gtest/gtest.h>
#include <vips/vips.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/scratch_folder.h"
#include "expect_error.h"
#include "image/data_file.h"
#include "image/picture.h"
#include "image/tiff_bytes.h"
#include "image/vips_image.h"

namespace sealite::image {
namespace {

// Four pixels: black, white, and two colours that no two scalings share.
const std::vector<std::uint8_t> kColours = {0, 0, 0, 255, 255, 255, 200, 100, 3, 17, 130, 254};
const std::vector<std::uint8_t> kGreys = {0, 255, 77, 200};

class Formats : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& bytes) const {
    write_text(folder_ / "picture", bytes);
    return folder_ / "picture";
  }
  std::vector<std::uint8_t> pixels(const std::string& bytes) const { return read_picture(file(bytes)).rgb; }
  void expect_refused(const std::string& bytes, std::initializer_list<std::string_view> parts,
                      ErrorCode code = ErrorCode::kUnsupported) const {
    const auto path = file(bytes);
    expect_error(code, parts, [&] { read_picture(path); });
  }
  int frames(const std::string& bytes) const { return read_source(file(bytes)).pages; }

  ScratchFolder folder_;
};

std::string samples_of(const std::vector<std::uint8_t>& values, std::uint64_t scale, std::size_t bytes) {
  std::string text;
  for (const std::uint8_t value : values) text += little_endian(value * scale, bytes);
  return text;
}

TiffBytes tiff(const std::vector<std::uint8_t>& values, unsigned bits, std::uint64_t scale,
               std::uint32_t photometric) {
  const bool grey = values.size() == 4;
  return {2, 2, bits, photometric, grey ? 1U : 3U, samples_of(values, scale, bits / 8)};
}

std::vector<std::uint8_t> three_times(const std::vector<std::uint8_t>& greys, bool inverted = false) {
  std::vector<std::uint8_t> rgb;
  for (const std::uint8_t grey : greys) {
    const auto value = static_cast<std::uint8_t>(inverted ? 255 - grey : grey);
    rgb.insert(rgb.end(), 3, value);
  }
  return rgb;
}

TEST_F(Formats, TiffSamplesOfEveryDepthAreScaled) {
  for (const auto& [bits, scale] : {std::pair<unsigned, std::uint64_t>{8, 1}, {16, 257}, {32, 16843009}}) {
    EXPECT_EQ(pixels(tiff(kColours, bits, scale, 2).bytes()), kColours) << bits;
    EXPECT_EQ(pixels(tiff(kGreys, bits, scale, 1).bytes()), three_times(kGreys)) << bits;
    EXPECT_EQ(pixels(tiff(kGreys, bits, scale, 0).bytes()), three_times(kGreys, true)) << bits;
  }
}

TEST_F(Formats, SamplesWithoutAWhiteAreRefusedByName) {
  constexpr const char* kNames[] = {"", "", "signed", "floating-point", "", "complex", "complex"};
  for (const std::uint32_t format : {2U, 3U, 5U, 6U}) {
    for (const unsigned bits : {8U, 16U, 32U, 64U}) {
      TiffBytes bytes = tiff(kColours, bits, 1, 2);
      bytes.fields[339] = {format};
      expect_refused(bytes.bytes(), {kNames[format], "samples", "8 or 16 bits"});
    }
  }
  for (const unsigned bits : {24U, 64U}) expect_refused(tiff(kGreys, bits, 1, 1).bytes(), {"samples of"});
}

TEST_F(Formats, ColoursThatLibvipsTakesForOthersAreRefused) {
  expect_refused(tiff(kColours, 8, 1, 6).bytes(), {"YCbCr"});
  for (const std::uint32_t photometric : {4U, 9U, 10U, 32844U, 32845U})
    expect_refused(tiff(kColours, 8, 1, photometric).bytes(), {"colours of kind"});
}

// L*, a* and b* of white, black and sRGB's red, as ICC profiles have them (D50).
TEST_F(Formats, CielabBecomesRgb) {
  const TiffBytes bytes(
      4, 1, 8, 8, 3,
      std::string("\xFF\0\0", 3) + std::string("\0\0\0", 3) + "\x8A\x51\x46" + std::string("\x88\0\0", 3));
  const std::vector<std::uint8_t> expected = {255, 255, 255, 0, 0, 0, 255, 0, 0, 127, 127, 127};
  const SourcePicture source = read_source(file(bytes.bytes()));
  EXPECT_EQ(source.colours, "CIELAB");
  EXPECT_TRUE(source.alpha.empty());
  ASSERT_EQ(source.picture.rgb.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(source.picture.rgb[i], expected[i], 5) << i;
}

TEST_F(Formats, ARawFilesPreviewIsNotThePicture) {
  const std::string words = "raw file";
  TiffBytes dng = tiff(kColours, 8, 1, 2);
  dng.fields[50706] = {0x00000401};
  expect_refused(dng.bytes(), {words});
  TiffBytes preview = tiff(kColours, 8, 1, 2);
  preview.fields[254] = {1};
  expect_refused(preview.bytes(), {words});
  expect_refused(tiff(kGreys, 8, 1, 32803).bytes(), {words});
  std::string cr2 = tiff(kColours, 8, 1, 2).bytes();
  cr2.insert(8, std::string("CR\2\0\0\0\0\0", 8));
  cr2[4] = 16;
  expect_refused(cr2, {words});
}

// The directory of a second picture behind the first one: a larger one is what the first is a preview of.
TEST_F(Formats, ALargerPictureInsideIsThePicture) {
  for (const std::uint32_t side : {1U, 2U, 3U}) {
    TiffBytes outer = tiff(kColours, 8, 1, 2);
    outer.fields[330] = {0};
    std::uint32_t behind = 0;
    outer.directory(8, "", &behind);
    behind += static_cast<std::uint32_t>(outer.samples.size());
    outer.fields[330] = {behind};
    const TiffBytes inner(side, side, 8, 1, 1, std::string(std::size_t{side} * side, 'x'));
    std::uint32_t ignored = 0;
    const std::string bytes = outer.bytes() + inner.directory(behind, inner.samples, &ignored);
    if (side > 2) {
      expect_refused(bytes, {"preview"});
    } else {
      EXPECT_EQ(pixels(bytes), kColours) << "a smaller one is a preview of the first";
    }
  }
}

TEST_F(Formats, BrokenTiffDirectoriesAreErrorsOnly) {
  TiffBytes outer = tiff(kColours, 8, 1, 2);
  outer.fields[330] = {8, 0xFFFFFFFF, 3, 8};  // itself, nowhere, the header
  EXPECT_EQ(pixels(outer.bytes()), kColours);
  const std::string whole = tiff(kColours, 16, 257, 2).bytes();
  for (std::size_t size = 12; size < whole.size(); ++size) {
    const auto path = file(whole.substr(0, size));
    EXPECT_THROW(read_picture(path), Error) << size;
  }
}

TEST_F(Formats, NetpbmOfEveryKind) {
  std::string six = "P6\n# made here\n2 2\n255\n";
  for (const std::uint8_t value : kColours) six.push_back(static_cast<char>(value));
  EXPECT_EQ(pixels(six), kColours);
  const std::string commented = "P6 # a\n2\n\n#b\n\n# c\n 2 255\n" + six.substr(six.size() - 12);
  EXPECT_EQ(pixels(commented), kColours);
  expect_refused("P6\n# a\n# b\n" + six.substr(15), {"two comments"});
  expect_refused("P6 2\n#\n#\n2 255\n" + six.substr(six.size() - 12), {"two comments"});
  EXPECT_EQ(pixels("P3 2 2 255\n0 0 0 255 255 255\n200 100 3 17 130 254\n"), kColours);
  EXPECT_EQ(pixels("P2 2 2 255 0 255 77 200 "), three_times(kGreys));
  EXPECT_EQ(pixels("P1 2 2 0 1 1 0    "), three_times({255, 0, 0, 255}));
  std::string wide = "P5 2 2 65535\n";
  for (const std::uint8_t value : kGreys) wide += std::string(2, static_cast<char>(value));
  EXPECT_EQ(pixels(wide), three_times(kGreys));
  expect_refused("P5 2 2 1023\n" + std::string(8, '\0'), {"up to 1023"});
  expect_refused("P5 2 2 100\nabcd", {"up to 100"});
  expect_refused("PF\n1 1\n-1.0\n" + std::string(12, '\0'), {"PFM", "floating-point"});
  expect_refused(six.substr(0, six.size() - 3), {"truncated"}, ErrorCode::kMalformed);
  expect_refused("P6 99999 99999 255\n" + std::string(20, '\0'), {"limit"});
  expect_refused("P6 -1 8 255\n" + std::string(64, 'x'), {"size"}, ErrorCode::kMalformed);
  expect_refused("P2 20000 20000 255\n1 2 3", {"400000000 samples in 24 bytes"}, ErrorCode::kMalformed);
  expect_refused("P6 what is this", {"size"}, ErrorCode::kMalformed);
}

// The colours as libvips' encoder of this suffix writes them.
std::string encoded(const std::string& suffix, const std::vector<std::uint8_t>& rgb, int width, int height) {
  start_vips();
  const Image memory(vips_image_new_from_memory(rgb.data(), rgb.size(), width, height, 3, VIPS_FORMAT_UCHAR));
  VipsImage* next = nullptr;
  EXPECT_EQ(vips_copy(memory.get(), &next, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr), 0);
  const Image named(next);
  void* buffer = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(vips_image_write_to_buffer(named.get(), suffix.c_str(), &buffer, &size, nullptr), 0)
      << vips_error_buffer();
  std::string bytes(static_cast<const char*>(buffer), size);
  g_free(buffer);
  return bytes;
}

TEST_F(Formats, GifJpegXlAndJpeg2000AreRead) {
  for (const char* suffix : {".gif", ".jxl[lossless]", ".jp2[lossless]"}) {
    const std::string bytes = encoded(suffix, kColours, 2, 2);
    EXPECT_EQ(pixels(bytes), kColours) << suffix;
    const auto* const data = reinterpret_cast<const std::byte*>(bytes.data());
    EXPECT_EQ(decode_picture({data, bytes.size()}).rgb, kColours) << suffix << " in memory";
    EXPECT_EQ(read_source(file(bytes)).pages, 1) << suffix;
    const auto path = file(bytes);
    expect_error(ErrorCode::kUnsupported, {"2 x 2", "limit"}, [&] { read_picture(path, {.max_pixels = 3}); });
    const auto cut = file(bytes.substr(0, bytes.size() * 2 / 3));
    EXPECT_THROW(read_picture(cut), Error) << suffix;
  }
}

TEST_F(Formats, Jpeg2000OfOtherDepthsIsRefused) {
  std::string bytes = encoded(".jp2[lossless]", kColours, 2, 2);
  const std::size_t depth = bytes.find("\xFF\x4F\xFF\x51") + 42;
  for (const auto& [value, words] :
       {std::pair{11, "unsigned samples of 12 bits"}, {0x87, "signed samples of 8"}}) {
    bytes[depth] = static_cast<char>(value);
    expect_refused(bytes, {words});
  }
}

TEST_F(Formats, OthersAreNamed) {
  const std::string rest(40, '\0');
  for (const auto& [start, name] : std::initializer_list<std::pair<std::string, const char*>>{
           {"BM" + std::string(8, '\0'), "a BMP picture"},
           {"8BPS", "a Photoshop file"},
           {"%PDF-1.4", "a PDF"},
           {"<svg xmlns=", "an SVG"},
           {std::string("\0\0\0\x18", 4) + "ftypcrx ", "raw file"},
           {std::string("\0\0\0\x18", 4) + "ftypmp42", "a video"},
           {"FUJIFILMCCD-RAW ", "raw file"},
           {"PK\3\4", "a zip archive"},
           {"<!DOCTYPE html>", "a web page"},
           {"version https://git-lfs.github.com/spec/v1", "git lfs pull"}}) {
    expect_refused(start + rest, {name, "not read", "JPEG, PNG, WebP"});
  }
}

std::string box(const std::string& kind, const std::string& content) {
  std::string size = little_endian(content.size() + 8, 4);
  return std::string(size.rbegin(), size.rend()) + kind + content;
}

TEST_F(Formats, FurtherFramesAndPicturesAreCounted) {
  const std::string png = read_text(data_file("rgb.png"));
  const std::string control(
      "\0\0\0\x08"
      "acTL\0\0\0\x05\0\0\0\0"
      "\0\0\0\0",
      20);
  EXPECT_EQ(frames(png), 1);
  std::string animated = png;
  animated.insert(33, control.substr(0, 8) + control.substr(8, 8) + "\x45\x92\xDC\x0E");
  EXPECT_EQ(frames(animated), 5);
  const std::string jpeg = read_text(data_file("rgb.jpg"));
  const std::string index =
      std::string("MPF\0II*\0\x08\0\0\0\x01\0\x01\xB0\x04\0\x01\0\0\0\x03\0\0\0\0\0\0\0", 30);
  std::string mpo = jpeg;
  mpo.insert(2, std::string("\xFF\xE2\0\x20", 4) + index);
  EXPECT_EQ(frames(mpo), 3);
  const std::string sizes = box("stsz", std::string("\0\0\0\0\0\0\0\0\0\0\0\x07", 12));
  std::string moov = sizes;
  for (const char* around : {"stbl", "minf", "mdia", "trak", "moov"}) moov = box(around, moov);
  EXPECT_EQ(frames(read_text(data_file("rgb.avif")) + moov), 7);
  EXPECT_EQ(frames(read_text(data_file("rgb.avif"))), 1);
}

TEST_F(Formats, AJpegThatLacksItsEndMarkerAloneIsReadWithAWarning) {
  for (const char* name : {"rgb.jpg", "progressive_422.jpg", "grey.jpg"}) {
    const std::string whole = read_text(data_file(name));
    ASSERT_EQ(whole.substr(whole.size() - 2), "\xFF\xD9");
    std::vector<std::string> lines;
    Context context;
    context.log = [&](LogLevel, std::string_view line) { lines.emplace_back(line); };
    const InContext scope(context);
    const Picture expected = read_picture(data_file(name));
    EXPECT_EQ(pixels(whole + "what a camera puts behind it"), expected.rgb);
    EXPECT_TRUE(lines.empty());
    const std::string open = whole.substr(0, whole.size() - 2);
    EXPECT_EQ(pixels(open), expected.rgb);
    EXPECT_EQ(decode_picture({reinterpret_cast<const std::byte*>(open.data()), open.size()}).rgb,
              expected.rgb);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_NE(lines[0].find("end marker is missing"), std::string::npos) << lines[0];
    for (const std::size_t lost : {std::size_t{20}, std::size_t{60}}) {
      SCOPED_TRACE(fmt::format("{} without {} bytes", name, lost));
      expect_refused(open.substr(0, open.size() - lost), {"broken"}, ErrorCode::kMalformed);
    }
  }
}

}  // namespace
}  // namespace sealite::image

#include "image/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/scratch_folder.h"
#include "expect_error.h"
#include "image/data_file.h"

namespace sealite::image {
namespace {

const std::vector<std::string> kNames = {"a.jpg", "a.PNG", "a.webp", "a.avif", "a.tif"};

class Encode : public ::testing::Test {
 protected:
  // Writes the source as `name` and reads it back.
  SourcePicture round_trip(const SourcePicture& source, const std::string& name, int quality = 95) {
    const auto path = folder_ / name;
    std::filesystem::remove(path);
    EncodeOptions options;
    options.format = format_of(path);
    options.quality = quality;
    options.alpha = source.alpha;
    options.metadata = source.metadata.get();
    AtomicFile file(path);
    const std::uint64_t bytes = encode_picture(source.picture, options, file);
    EXPECT_FALSE(std::filesystem::exists(path)) << "not before commit";
    file.commit();
    EXPECT_EQ(std::filesystem::file_size(path), bytes);
    return read_source(path);
  }

  ScratchFolder folder_;
};

double mean_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

TEST_F(Encode, EveryFormatKeepsThePicture) {
  const SourcePicture source = read_source(data_file("rgb.png"));
  for (const std::string& name : kNames) {
    SCOPED_TRACE(name);
    const SourcePicture read = round_trip(source, name);
    EXPECT_EQ(read.picture.height, source.picture.height);
    EXPECT_EQ(read.picture.width, source.picture.width);
    const double difference = mean_difference(read.picture.rgb, source.picture.rgb);
    EXPECT_LE(difference, name == "a.PNG" || name == "a.tif" ? 0 : 8);
    EXPECT_TRUE(read.alpha.empty());
  }
}

TEST_F(Encode, QualityMatters) {
  const SourcePicture source = read_source(data_file("rgb.png"));
  for (const char* name : {"a.jpg", "a.webp", "a.avif"}) {
    const SourcePicture low = round_trip(source, name, 5);
    const auto small = std::filesystem::file_size(folder_ / name);
    const SourcePicture high = round_trip(source, name, 100);
    EXPECT_LT(small, std::filesystem::file_size(folder_ / name)) << name;
    EXPECT_GT(mean_difference(low.picture.rgb, source.picture.rgb),
              mean_difference(high.picture.rgb, source.picture.rgb))
        << name;
  }
}

TEST_F(Encode, AlphaIsKeptWhereThereIsOne) {
  for (const char* from : {"alpha.png", "grey_alpha.png", "lossless_alpha.webp", "palette_transparent.png"}) {
    const SourcePicture source = read_source(data_file(from));
    ASSERT_EQ(source.alpha.size() * 3, source.picture.rgb.size()) << from;
    EXPECT_LT(*std::ranges::min_element(source.alpha), 255) << from;
    EXPECT_EQ(source.picture.rgb, read_picture(data_file(from)).rgb) << from;
    for (const std::string& name : kNames) {
      SCOPED_TRACE(std::string(from) + " to " + name);
      const SourcePicture read = round_trip(source, name);
      if (name == "a.jpg") {
        EXPECT_TRUE(read.alpha.empty());
        EXPECT_LE(mean_difference(read.picture.rgb, source.picture.rgb), 12) << "not flattened";
      } else if (name == "a.avif") {
        EXPECT_LE(mean_difference(read.alpha, source.alpha), 8);
      } else {
        EXPECT_EQ(read.alpha, source.alpha);
      }
      if (name == "a.PNG" || name == "a.tif") {
        EXPECT_EQ(read.picture.rgb, source.picture.rgb);
      }
    }
  }
}

TEST_F(Encode, AnRgbProfileIsKept) {
  for (const char* from : {"profile.png", "profile.jpg"}) {
    const SourcePicture source = read_source(data_file(from));
    const auto profile = metadata_block(*source.metadata, MetadataBlock::kProfile);
    ASSERT_GT(profile.size(), 128U);
    for (const std::string& name : kNames) {
      const SourcePicture read = round_trip(source, name);
      EXPECT_EQ(metadata_block(*read.metadata, MetadataBlock::kProfile), profile) << name;
    }
  }
}

// A JPEG with more APP segments behind its start.
std::string with_segments(const std::string& jpeg, const std::string& segments) {
  return jpeg.substr(0, 2) + segments + jpeg.substr(2);
}

std::string segment(char marker, const std::string& content) {
  const std::size_t size = content.size() + 2;
  return std::string("\xFF") + marker + static_cast<char>(size >> 8U) + static_cast<char>(size & 0xFFU) +
         content;
}

// EXIF: the orientation and an artist, "Ada".
std::string exif_segment(int orientation, bool big) {
  using namespace std::string_literals;
  const std::string one = big ? "\x01\x12\0\x03\0\0\0\x01\0"s + static_cast<char>(orientation) + "\0\0"s
                              : "\x12\x01\x03\0\x01\0\0\0"s + static_cast<char>(orientation) + "\0\0\0"s;
  const std::string two = big ? "\x01\x3B\0\x02\0\0\0\x04"s : "\x3B\x01\x02\0\x04\0\0\0"s;
  const std::string head = big ? "MM\0*\0\0\0\x08\0\x02"s : "II*\0\x08\0\0\0\x02\0"s;
  return segment('\xE1', "Exif\0\0"s + head + one + two + "Ada\0"s + "\0\0\0\0"s);
}

std::string xmp_segment() {
  using namespace std::string_literals;
  return segment('\xE1',
                 "http://ns.adobe.com/xap/1.0/\0"s
                 "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/"
                 "22-rdf-syntax-ns#\"><rdf:Description xmlns:tiff=\"http://ns.adobe.com/tiff/1.0/\" "
                 "tiff:Orientation=\"6\" tiff:Artist=\"Grace\"/></rdf:RDF></x:xmpmeta>"s);
}

bool holds(const std::vector<std::uint8_t>& block, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(block.data()), block.size()).find(text) !=
         std::string_view::npos;
}

TEST_F(Encode, ExifAndXmpAreKeptWithAnUprightOrientation) {
  const Picture stored = read_picture(data_file("rgb.jpg"));
  for (const bool big : {false, true}) {
    write_text(folder_ / "in.jpg",
               with_segments(read_text(data_file("rgb.jpg")), exif_segment(6, big) + xmp_segment()));
    const SourcePicture source = read_source(folder_ / "in.jpg");
    EXPECT_EQ(source.picture.height, stored.width);
    for (const std::string& name : kNames) {
      SCOPED_TRACE(name + (big ? " MM" : " II"));
      const SourcePicture read = round_trip(source, name);
      EXPECT_EQ(read.picture.height, stored.width) << "turned once, not twice";
      EXPECT_EQ(read.picture.width, stored.height);
      const auto xmp = metadata_block(*read.metadata, MetadataBlock::kXmp);
      EXPECT_TRUE(holds(xmp, "tiff:Orientation=\"1\"") && holds(xmp, "Grace"));
      EXPECT_FALSE(holds(metadata_block(*source.metadata, MetadataBlock::kXmp), "\"6\""));
      const std::string file = read_text(folder_ / name);
      if (name == "a.tif") continue;  // libvips writes no EXIF into TIFF
      EXPECT_TRUE(holds(metadata_block(*read.metadata, MetadataBlock::kExif), "Ada"));
      using namespace std::string_view_literals;
      EXPECT_EQ(file.find("\x12\x01\x03\0\x01\0\0\0\x06"sv), std::string::npos);
      EXPECT_EQ(file.find("\x01\x12\0\x03\0\0\0\x01\0\x06"sv), std::string::npos);
    }
  }
}

TEST_F(Encode, BrokenExifIsNoReasonToFail) {
  const std::string jpeg = read_text(data_file("rgb.jpg"));
  const std::string whole = exif_segment(6, true).substr(4);
  for (std::size_t cut = 0; cut < whole.size(); cut += 3) {
    write_text(folder_ / "in.jpg", with_segments(jpeg, segment('\xE1', whole.substr(0, cut))));
    round_trip(read_source(folder_ / "in.jpg"), "a.jpg");
    std::string changed = whole;
    changed[cut] = '\xFF';
    write_text(folder_ / "in.jpg", with_segments(jpeg, segment('\xE1', changed)));
    round_trip(read_source(folder_ / "in.jpg"), "a.png");
  }
}

TEST_F(Encode, AlphaIsTurnedWithThePicture) {
  SourcePicture source = read_source(data_file("alpha.png"));
  const auto at = [](const SourcePicture& p, std::int64_t y, std::int64_t x) {
    return p.alpha[static_cast<std::size_t>(y * p.picture.width + x)];
  };
  // WebP keeps EXIF and alpha: an orientation is put in through a JPEG's metadata, in the file's own bytes.
  write_text(folder_ / "in.jpg", with_segments(read_text(data_file("rgb.jpg")), exif_segment(1, true)));
  source.metadata = read_source(folder_ / "in.jpg").metadata;
  round_trip(source, "a.webp");
  using namespace std::string_view_literals;
  std::string file = read_text(folder_ / "a.webp");
  const auto tag =
      std::min(file.find("\x01\x12\0\x03\0\0\0\x01\0\x01"sv), file.find("\x12\x01\x03\0\x01\0\0\0\x01"sv));
  ASSERT_NE(tag, std::string::npos);
  file[tag + (file[tag] == 1 ? 9 : 8)] = 6;
  write_text(folder_ / "b.webp", file);
  const SourcePicture turned = read_source(folder_ / "b.webp");
  ASSERT_EQ(turned.picture.height, source.picture.width);
  for (std::int64_t y = 0; y < turned.picture.height; ++y) {
    for (std::int64_t x = 0; x < turned.picture.width; ++x)
      ASSERT_EQ(at(turned, y, x), at(source, source.picture.height - 1 - x, y)) << y << " " << x;
  }
}

TEST_F(Encode, SaysWhatTheFileHeld) {
  const auto kind = [](const char* name) {
    const SourcePicture source = read_source(data_file(name));
    return fmt::format("{} {}", source.colours, source.bits);
  };
  EXPECT_EQ(kind("rgb.png"), "RGB 8");
  EXPECT_EQ(kind("rgb16.png"), "RGB 16");
  EXPECT_EQ(kind("grey.jpg"), "grey 8");
  EXPECT_EQ(kind("grey16.png"), "grey 16");
  EXPECT_EQ(kind("cmyk.jpg"), "CMYK 8");
  EXPECT_EQ(kind("cmyk.tif"), "CMYK 8");
}

TEST(FileFormatOf, GoesByTheExtension) {
  EXPECT_EQ(format_of("a/b.JPeG"), FileFormat::kJpeg);
  EXPECT_EQ(format_of("b.tiff"), FileFormat::kTiff);
  for (const char* name : {"a", "a.gif", "png", ".png", "a.png.txt", "a.jpg/", ""})
    expect_error(ErrorCode::kUsage, {".jpg, .png, .webp, .avif or .tif"}, [&] { format_of(name); });
}

TEST(FileFormatOf, LargePicturesFitSomeFormatsOnly) {
  check_fits(FileFormat::kJpeg, 65535, 1);
  check_fits(FileFormat::kPng, 70000, 1);
  expect_error(ErrorCode::kUnsupported, {"1 x 65536", "JPEG", "65535"},
               [] { check_fits(FileFormat::kJpeg, 65536, 1); });
  expect_error(ErrorCode::kUnsupported, {"WebP"}, [] { check_fits(FileFormat::kWebp, 1, 16384); });
  expect_error(ErrorCode::kUnsupported, {"AVIF"}, [] { check_fits(FileFormat::kAvif, 1, 16385); });
  check_fits(FileFormat::kAvif, 4000, 6000);
  expect_error(ErrorCode::kUnsupported, {"10000 x 8000", "AVIF", "25 megapixels"},
               [] { check_fits(FileFormat::kAvif, 8000, 10000); });
}

}  // namespace
}  // namespace sealite::image

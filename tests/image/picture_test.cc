#include "image/picture.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "image/data_file.h"
#include "npy.h"

namespace sealite::image {
namespace {

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A file with given bytes, for as long as it lives.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(std::filesystem::temp_directory_path() / fmt::format("sealite-image-{}", getpid())) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Expects that reading fails with `code` and names the file.
std::string expect_error(ErrorCode code, const std::filesystem::path& path, const ReadLimits& limits = {}) {
  try {
    read_picture(path, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(path.string()), std::string_view::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << path << ": no error";
  return "";
}

void expect_pixels(const Picture& picture, const Npy& expected, float tolerance, const std::string& name) {
  ASSERT_EQ((Shape{picture.height, picture.width, 3}), expected.shape) << name;
  ASSERT_EQ(picture.rgb.size(), expected.values.size()) << name;
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    ASSERT_LE(std::abs(static_cast<float>(picture.rgb[i]) - expected.values[i]), tolerance)
        << name << " at " << i;
  }
}

const std::vector<std::string> kExactNames = {"rgb.png",        "grey.png",
                                              "grey_alpha.png", "alpha.png",
                                              "bilevel.png",    "palette_transparent.png",
                                              "rgb.jpg",        "grey.jpg",
                                              "rgb16.png",      "progressive_422.jpg",
                                              "grey16.png",     "one_pixel.png",
                                              "cmyk.jpg",       "cmyk.tif",
                                              "rgb.tif",        "lossy.webp",
                                              "profile.jpg",    "lossless_alpha.webp",
                                              "profile.png"};

TEST(ReadPicture, EqualsPillowByteForByte) {
  for (const std::string& name : kExactNames) {
    expect_pixels(read_picture(data_file(name)), read_npy(data_file(name + ".npy")), 0, name);
  }
}

TEST(ReadPicture, AvifEqualsPillowUpToRounding) {  // libheif and libavif convert YUV in their own ways
  expect_pixels(read_picture(data_file("rgb.avif")), read_npy(data_file("rgb.avif.npy")), 3, "rgb.avif");
}

/// `jpeg` with an EXIF block that says only the orientation.
std::string with_orientation(const std::string& jpeg, int orientation) {
  using namespace std::string_literals;
  std::string exif =
      "\xFF\xE1\x00\x22"s + "Exif\0\0"s + "MM\0*\0\0\0\x08"s + "\0\x01"s;  // one directory entry
  exif += "\x01\x12\0\x03\0\0\0\x01\0"s + static_cast<char>(orientation) + "\0\0"s + "\0\0\0\0"s;
  return jpeg.substr(0, 2) + exif + jpeg.substr(2);
}

/// Where the upright picture's pixel (y, x) lies in the stored picture of h x w, as the EXIF standard says.
std::pair<std::int64_t, std::int64_t> stored_position(int orientation, std::int64_t y, std::int64_t x,
                                                      std::int64_t h, std::int64_t w) {
  switch (orientation) {
    case 2:
      return {y, w - 1 - x};
    case 3:
      return {h - 1 - y, w - 1 - x};
    case 4:
      return {h - 1 - y, x};
    case 5:
      return {x, y};
    case 6:
      return {h - 1 - x, y};
    case 7:
      return {h - 1 - x, w - 1 - y};
    case 8:
      return {x, w - 1 - y};
    default:
      return {y, x};
  }
}

TEST(ReadPicture, AppliesEveryOrientation) {
  const std::string jpeg = read_bytes(data_file("rgb.jpg"));
  const Picture stored = read_picture(data_file("rgb.jpg"));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const TemporaryFile file(with_orientation(jpeg, orientation));
    const Picture upright = read_picture(file.path());
    const bool turned = orientation >= 5;
    ASSERT_EQ(upright.height, turned ? stored.width : stored.height) << orientation;
    ASSERT_EQ(upright.width, turned ? stored.height : stored.width) << orientation;
    for (std::int64_t y = 0; y < upright.height; ++y) {
      for (std::int64_t x = 0; x < upright.width; ++x) {
        const auto [from_y, from_x] = stored_position(orientation, y, x, stored.height, stored.width);
        for (std::int64_t c = 0; c < 3; ++c) {
          ASSERT_EQ(upright.rgb[static_cast<std::size_t>((y * upright.width + x) * 3 + c)],
                    stored.rgb[static_cast<std::size_t>((from_y * stored.width + from_x) * 3 + c)])
              << orientation << ": " << y << ", " << x;
        }
      }
    }
  }
  const TemporaryFile odd(with_orientation(jpeg, 9));  // no such orientation: as stored
  EXPECT_EQ(read_picture(odd.path()).rgb, stored.rgb);
}

TEST(ReadPicture, TheNameDoesNotMatter) {
  const TemporaryFile file(read_bytes(data_file("lossy.webp")));
  EXPECT_EQ(read_picture(file.path()).rgb, read_picture(data_file("lossy.webp")).rgb);
}

TEST(ReadPicture, SeveralThreadsAtOnce) {
  const Picture expected = read_picture(data_file("rgb.jpg"));
  std::vector<Picture> read(8);
  {
    std::vector<std::jthread> threads;
    for (Picture& picture : read)
      threads.emplace_back([&picture] { picture = read_picture(data_file("rgb.jpg")); });
  }
  for (const Picture& picture : read) EXPECT_EQ(picture.rgb, expected.rgb);
}

TEST(ReadPicture, TruncatedFilesAreErrors) {
  for (const char* name :
       {"rgb.jpg", "progressive_422.jpg", "rgb.png", "rgb.tif", "lossy.webp", "rgb.avif"}) {
    const std::string bytes = read_bytes(data_file(name));
    for (const double part : {0.3, 0.6, 0.9}) {
      const TemporaryFile file(
          bytes.substr(0, static_cast<std::size_t>(static_cast<double>(bytes.size()) * part)));
      SCOPED_TRACE(fmt::format("{} cut to {}", name, part));
      expect_error(ErrorCode::kMalformed, file.path());
    }
  }
}

TEST(ReadPicture, OtherFilesAreNoPictures) {
  for (const std::string& bytes :
       {std::string(), std::string("\xFF\xD8\xFF"), std::string("hello, world, hello"),
        std::string("P7 for short, a text"), std::string("BM is no picture either")}) {
    const TemporaryFile file(bytes);
    EXPECT_NE(expect_error(ErrorCode::kMalformed, file.path()).find("JPEG, PNG, WebP"), std::string::npos)
        << bytes;
  }
}

TEST(ReadPicture, MissingFilesAndFolders) {
  expect_error(ErrorCode::kNotFound, "/nowhere/picture.png");
  expect_error(ErrorCode::kNotFound, data_file("."));
  expect_error(ErrorCode::kNotFound, data_file("rgb.png[page=1]"));  // no option syntax in names
}

TEST(ReadPicture, TheLimitIsOnPixels) {
  EXPECT_EQ(read_picture(data_file("rgb.png"), {.max_pixels = 18 * 25}).width, 25);
  const std::string text =
      expect_error(ErrorCode::kUnsupported, data_file("rgb.png"), {.max_pixels = 18 * 25 - 1});
  EXPECT_NE(text.find("25 x 18"), std::string::npos) << text;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>((value >> shift) & 0xFF));
  return bytes;
}

std::string png_chunk(const std::string& kind, const std::string& content) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : kind + content) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return big_endian(static_cast<std::uint32_t>(content.size())) + kind + content + big_endian(~crc);
}

/// A PNG that claims a size and holds next to nothing.
std::string png_of_size(std::uint32_t width, std::uint32_t height) {
  const std::string header = big_endian(width) + big_endian(height) + std::string("\x08\x02\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) +
         png_chunk("IDAT", std::string("\x78\x9c\x63\x00\x00\x00\x01\x00\x01", 9)) + png_chunk("IEND", "");
}

TEST(ReadPicture, HugeClaimsTakeNoMemory) {
  const auto resident_kb = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  read_picture(data_file("rgb.png"));
  const long before = resident_kb();
  {
    const TemporaryFile beyond_png(png_of_size(0x7FFFFFFF, 0x7FFFFFFF));
    expect_error(ErrorCode::kMalformed, beyond_png.path());  // libpng's own limit
  }
  {
    std::string bytes = read_bytes(data_file("rgb.png"));
    bytes.insert(33, "\x7f\xff\xff\xfftEXt");  // behind IHDR
    const TemporaryFile long_chunk(bytes);
    EXPECT_NE(expect_error(ErrorCode::kMalformed, long_chunk.path()).find("longer than the file"),
              std::string::npos);
  }
  {
    const TemporaryFile large(png_of_size(900'000, 900'000));
    EXPECT_NE(expect_error(ErrorCode::kUnsupported, large.path()).find("limit"), std::string::npos);
  }
  {
    const TemporaryFile over(png_of_size(20'001, 20'000));
    expect_error(ErrorCode::kUnsupported, over.path());
  }
  EXPECT_LT(resident_kb() - before, 20'000);
}

TEST(ReadPicture, BrokenBytesGiveErrorsOnly) {
  std::mt19937 random(7);
  for (const std::string& name : kExactNames) {
    const std::string bytes = read_bytes(data_file(name));
    for (int round = 0; round < 30; ++round) {
      std::string broken = bytes;
      for (int i = 0; i <= round % 4; ++i)
        broken[random() % broken.size()] = static_cast<char>(random() & 0xFF);
      const TemporaryFile file(broken);
      try {
        const Picture picture = read_picture(file.path(), {.max_pixels = 1'000'000});
        EXPECT_EQ(picture.rgb.size(), static_cast<std::size_t>(picture.height * picture.width * 3));
      } catch (const Error& error) {
        EXPECT_FALSE(std::string_view(error.what()).empty());
      }
    }
  }
}

}  // namespace
}  // namespace sealite::image

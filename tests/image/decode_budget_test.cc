#include "image/jpeg_scans.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/scratch_folder.h"
#include "image/data_file.h"
#include "image/picture.h"

namespace sealite::image {
namespace {

JpegScans scans_of(const std::string& bytes) {
  std::istringstream file(bytes);
  return count_jpeg_scans(file);
}

std::string jpeg_segment(unsigned marker, const std::string& contents) {
  const auto size = static_cast<unsigned>(contents.size() + 2);
  return {static_cast<char>(0xFF), static_cast<char>(marker), static_cast<char>(size >> 8U),
          static_cast<char>(size & 0xFFU)};
}

// A grey progressive JPEG of 8 x 8 zeros, `scans` of them over its AC coefficients.
std::string progressive(std::size_t scans) {
  const auto part = [](unsigned marker, const std::string& contents) {
    return jpeg_segment(marker, contents) + contents;
  };
  const std::string one_code = std::string("\1", 1) + std::string(15, '\0');
  std::string file = "\xFF\xD8" + part(0xDB, std::string(1, '\0') + std::string(64, '\1'));
  file += part(0xC2, {8, 0, 8, 0, 8, 1, 1, 0x11, 0});
  file += part(0xC4, std::string(1, '\0') + one_code + std::string(1, '\0'));
  file += part(0xC4, "\x10" + one_code + std::string(1, '\0'));  // the code 0: no more in this block
  file += part(0xDA, {1, 1, 0, 0, 0, 0}) + std::string(1, '\0');
  for (std::size_t i = 0; i < scans; ++i) file += part(0xDA, {1, 1, 0, 1, 63, 0}) + std::string(1, '\0');
  return file + "\xFF\xD9";
}

ErrorCode code_of(const std::filesystem::path& path, std::uint64_t max_pixels) {
  try {
    read_picture(path, {.max_pixels = max_pixels});
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    return error.code();
  }
  return ErrorCode{};
}

TEST(JpegScans, AreCountedWhereTheDecoderHoldsThePicture) {
  std::ifstream baseline(data_file("rgb.jpg"), std::ios::binary);
  EXPECT_EQ(count_jpeg_scans(baseline).scans, 1U);
  EXPECT_EQ(scans_of(progressive(7)).scans, 8U);
  EXPECT_EQ(scans_of(progressive(7)).coefficient_bytes, 2);
  std::ifstream progressive_422(data_file("progressive_422.jpg"), std::ios::binary);
  EXPECT_EQ(count_jpeg_scans(progressive_422).coefficient_bytes, 4);
}

// 0xFF 0xDA inside a comment, stuffed zeros, restarts, fill bytes and junk are no scans.
TEST(JpegScans, OnlyMarkersCount) {
  std::string file = progressive(1);
  file.insert(2, jpeg_segment(0xFE, "\xFF\xDA\xFF\xDA") + "\xFF\xDA\xFF\xDA");
  const std::string end = "\xFF\xD9";
  file.insert(file.size() - end.size(), std::string("\xFF\0\xFF\xD3\xFF\xFF\xFF\0junk", 12));
  EXPECT_EQ(scans_of(file).scans, 2U);
  EXPECT_EQ(scans_of(file + progressive(5)).scans, 2U) << "behind the end";
}

TEST(JpegScans, BrokenFilesEnd) {
  const std::string whole = progressive(3);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_LE(scans_of(whole.substr(0, size)).scans, 4U);
  EXPECT_EQ(scans_of("\xFF\xDA").scans, 1U);
  EXPECT_EQ(scans_of(std::string(100'000, '\xFF')).scans, 0U);
}

TEST(DecodeBudget, ScansOverPixels) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder / "scans.jpg";
  write_text(file, progressive(kScansPerPixel * 2 - 1));
  EXPECT_EQ(code_of(file, 2 * 64), ErrorCode{});
  write_text(file, progressive(kScansPerPixel * 2));
  EXPECT_EQ(code_of(file, 2 * 64), ErrorCode::kUnsupported);
}

// What decodes in 64 MB is read up to the limit on pixels itself. Larger ones: attacks.pictures.
TEST(DecodeBudget, SmallPicturesHaveThePixelLimitAlone) {
  for (const char* name : {"rgb.jpg", "progressive_422.jpg", "rgb.png", "rgb16.png", "alpha.png", "rgb.tif"})
    EXPECT_EQ(code_of(data_file(name), 25 * 18), ErrorCode{}) << name;
}

}  // namespace
}  // namespace sealite::image

#include "pixels/rgb_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "expect_error.h"
#include "pixels/resize.h"

namespace sealite::pixels {
namespace {

constexpr std::int64_t kHeight = 6;
constexpr std::int64_t kWidth = 10;

Picture random_rgb(unsigned seed) {
  std::mt19937 generator(seed);
  Picture picture{kHeight, kWidth, {}};
  for (std::int64_t i = 0; i < kHeight * kWidth * 3; ++i)
    picture.rgb.push_back(static_cast<std::uint8_t>(generator() >> 24U));
  return picture;
}

std::vector<std::uint8_t> row_of(const PixelView& view, std::int64_t y) {
  std::vector<std::uint8_t> scratch(static_cast<std::size_t>(view.width) * 3);
  const auto row = RgbRows(view).row(y, scratch);
  return {row.begin(), row.end()};
}

std::vector<std::uint8_t> all_rows(const PixelView& view) {
  std::vector<std::uint8_t> rgb;
  for (std::int64_t y = 0; y < view.height; ++y) {
    const std::vector<std::uint8_t> row = row_of(view, y);
    rgb.insert(rgb.end(), row.begin(), row.end());
  }
  return rgb;
}

// Memory for a view of any format, with rows that do not follow each other.
struct Memory {
  explicit Memory(PixelFormat format) {
    constexpr std::int64_t kStride = kWidth * 4 + 7;
    for (std::size_t plane = 0; plane < 3; ++plane) {
      bytes[plane].assign(static_cast<std::size_t>(kStride * kHeight), 99);
      view.planes[plane] = bytes[plane].data();
      view.strides[plane] = kStride;
    }
    view.format = format;
    view.width = kWidth;
    view.height = kHeight;
  }
  std::vector<std::uint8_t> bytes[3];
  MutablePixelView view;
};

TEST(RgbRows, RgbIsNotCopied) {
  const Picture picture = random_rgb(1);
  std::vector<std::uint8_t> scratch(kWidth * 3);
  EXPECT_EQ(RgbRows(picture).row(2, scratch).data(), picture.rgb.data() + 2 * kWidth * 3);
}

TEST(RgbRows, PackedFormatsGiveBackWhatWasWritten) {
  const Picture picture = random_rgb(2);
  for (const auto format : {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra}) {
    Memory memory(format);
    write_rgb_rows(picture.rgb, 0, kHeight, memory.view);
    EXPECT_EQ(all_rows(memory.view), picture.rgb) << static_cast<int>(format);
  }
}

TEST(RgbRows, BgraHasItsSamplesInThatOrderAndKeepsAlpha) {
  Memory memory(PixelFormat::kBgra);
  const std::vector<std::uint8_t> red = [] {
    std::vector<std::uint8_t> rgb(kWidth * 3, 0);
    for (std::size_t i = 0; i < rgb.size(); i += 3) rgb[i] = 200;
    return rgb;
  }();
  write_rgb_rows(red, 1, 1, memory.view);
  const std::uint8_t* pixel = memory.view.planes[0] + memory.view.strides[0];
  EXPECT_EQ(std::vector<std::uint8_t>(pixel, pixel + 4), (std::vector<std::uint8_t>{0, 0, 200, 99}));
}

TEST(RgbRows, GreyIsLumaAndBackThreeTimesTheSame) {
  const Picture picture = random_rgb(3);
  Memory memory(PixelFormat::kGrey);
  write_rgb_rows(picture.rgb, 0, kHeight, memory.view);
  const std::vector<std::uint8_t> rows = all_rows(memory.view);
  for (std::size_t i = 0; i < rows.size(); i += 3) {
    const double luma = 0.299 * picture.rgb[i] + 0.587 * picture.rgb[i + 1] + 0.114 * picture.rgb[i + 2];
    EXPECT_NEAR(rows[i], luma, 0.51);
    EXPECT_EQ(rows[i], rows[i + 1]);
    EXPECT_EQ(rows[i], rows[i + 2]);
  }
}

// ITU-R BT.601 and BT.709: black, white, and the primaries of 8-bit video.
TEST(RgbRows, YuvIsTheStandards) {
  struct Colour {
    YuvMatrix matrix;
    bool full_range;
    std::uint8_t rgb[3];
    std::uint8_t yuv[3];
  };
  const Colour colours[] = {
      {YuvMatrix::kBt601, false, {0, 0, 0}, {16, 128, 128}},
      {YuvMatrix::kBt601, false, {255, 255, 255}, {235, 128, 128}},
      {YuvMatrix::kBt601, false, {255, 0, 0}, {81, 90, 240}},
      {YuvMatrix::kBt601, false, {0, 0, 255}, {41, 240, 110}},
      {YuvMatrix::kBt709, false, {255, 0, 0}, {63, 102, 240}},
      {YuvMatrix::kBt709, false, {0, 255, 0}, {173, 42, 26}},
      {YuvMatrix::kBt601, true, {0, 255, 0}, {150, 44, 21}},
      {YuvMatrix::kBt601, true, {255, 255, 255}, {255, 128, 128}},
  };
  for (const PixelFormat format : {PixelFormat::kI420, PixelFormat::kNv12}) {
    for (const Colour& colour : colours) {
      Memory memory(format);
      memory.view.matrix = colour.matrix;
      memory.view.full_range = colour.full_range;
      std::vector<std::uint8_t> rgb;
      for (std::int64_t i = 0; i < kHeight * kWidth; ++i) rgb.insert(rgb.end(), colour.rgb, colour.rgb + 3);
      write_rgb_rows(rgb, 0, kHeight, memory.view);
      EXPECT_EQ(memory.bytes[0][0], colour.yuv[0]);
      EXPECT_EQ(memory.bytes[1][0], colour.yuv[1]);
      EXPECT_EQ(format == PixelFormat::kNv12 ? memory.bytes[1][1] : memory.bytes[2][0], colour.yuv[2]);
      const std::vector<std::uint8_t> back = all_rows(memory.view);
      for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], rgb[i], 2);
    }
  }
}

TEST(RgbRows, ChromaIsTheMeanOfFourPixels) {
  Memory memory(PixelFormat::kI420);
  memory.view.full_range = true;
  std::vector<std::uint8_t> rgb(kWidth * 2 * 3, 100);  // grey, but for one pixel
  rgb[0] = 200;
  write_rgb_rows(rgb, 0, 2, memory.view);
  // V = 128 + (R - Y) / 1.402, of R = 125 and Y = 100 + 0.299 * 25.
  EXPECT_EQ(memory.bytes[2][0], static_cast<std::uint8_t>(std::lround(128 + 25 * (1 - 0.299) / 1.402)));
  EXPECT_EQ(memory.bytes[2][1], 128);
}

TEST(RgbRows, EveryFormatIsResizedAlike) {
  const Picture picture = random_rgb(4);
  const Planes expected = resize_antialiased(picture, 3, 4);
  for (const auto format : {PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra}) {
    Memory memory(format);
    write_rgb_rows(picture.rgb, 0, kHeight, memory.view);
    EXPECT_EQ(resize_antialiased(memory.view, 3, 4).data, expected.data);
    EXPECT_EQ(resize_antialiased(memory.view, kHeight, kWidth).data,
              resize_antialiased(picture, kHeight, kWidth).data);
  }
}

TEST(RgbRows, RefusesViewsThatAreNone) {
  const auto refuse = [](const PixelView& view, std::string_view part) {
    expect_error(ErrorCode::kUsage, {part}, [&] { const RgbRows rows(view); });
  };
  Memory memory(PixelFormat::kI420);
  memory.view.planes[2] = nullptr;
  refuse(memory.view, "plane 2");
  memory = Memory(PixelFormat::kNv12);
  memory.view.width = 9;
  refuse(memory.view, "even");
  memory = Memory(PixelFormat::kRgba);
  memory.view.strides[0] = kWidth * 4 - 1;
  refuse(memory.view, "rows of 40 bytes");
  memory = Memory(PixelFormat::kRgb);
  memory.view.strides[0] = -30;
  refuse(memory.view, "-30");
  memory.view.height = 0;
  refuse(memory.view, "10 x 0");
  memory.view.height = std::int64_t{1} << 62U;
  refuse(memory.view, "10 x");
}

}  // namespace
}  // namespace sealite::pixels

#include "pixels/resize.h"
#include "image/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "fixture_files.h"
#include "image/picture.h"
#include "npy.h"

namespace sealite::pixels {
namespace {

/// Largest |difference| between HWC planes and a [1, C, H, W] array.
float distance(const Planes& planes, const Npy& expected) {
  EXPECT_EQ(expected.shape, (Shape{1, planes.channels, planes.height, planes.width}));
  float largest = 0;
  const auto channels = static_cast<std::size_t>(planes.channels);
  const auto area = static_cast<std::size_t>(planes.height * planes.width);
  for (std::size_t i = 0; i < area; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      largest = std::max(largest, std::abs(planes.data[i * channels + c] - expected.values[c * area + i]));
    }
  }
  return largest;
}

Planes ramp(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Planes planes{height, width, channels, {}};
  for (std::int64_t i = 0; i < height * width * channels; ++i) {
    planes.data.push_back(static_cast<float>((i * 7919) % 1000) / 1000.0F);
  }
  return planes;
}

struct Golden {
  const char* photo;
  std::int64_t height, width;
};

TEST(Resize, EqualsPyTorch) {
  for (const Golden& golden : {Golden{"coffee.png", 64, 96},
                               {"coffee.png", 100, 100},
                               {"photos/chelsea.png", 180, 90},
                               {"photos/rocket.jpg", 96, 96}}) {
    const std::filesystem::path photo = fixture(golden.photo);
    const Planes planes = resize_antialiased(image::read_picture(photo), golden.height, golden.width);
    const Npy expected = read_npy(
        fixture(fmt::format("resize.{}.{}x{}.npy", photo.stem().string(), golden.height, golden.width)));
    EXPECT_LT(distance(planes, expected), 1e-6F) << photo;
  }
}

TEST(Resize, SameSizeIsTheConversionAlone) {
  const Picture picture{1, 2, {0, 1, 255, 7, 128, 3}};
  const Planes planes = resize_antialiased(picture, 1, 2);
  EXPECT_EQ(planes.data, (std::vector<float>{0, 1 / 255.0F, 1, 7 / 255.0F, 128 / 255.0F, 3 / 255.0F}));
  const Planes floats = ramp(5, 4, 2);
  EXPECT_EQ(resize_antialiased(floats, 5, 4).data, floats.data);
}

TEST(Resize, FloatsAndBytesAgree) {
  const Picture picture = image::read_picture(fixture("photos/chelsea.png"));
  const Planes floats = resize_antialiased(picture, picture.height, picture.width);
  EXPECT_EQ(resize_antialiased(picture, 100, 333).data, resize_antialiased(floats, 100, 333).data);
}

TEST(Resize, EveryChannelCountGivesTheSameNumbers) {
  const Planes three = ramp(37, 29, 3);
  const Planes expected = resize_antialiased(three, 50, 11);
  for (std::size_t c = 0; c < 3; ++c) {
    Planes one{37, 29, 1, {}};
    Planes two{37, 29, 2, {}};
    for (std::size_t i = c; i < three.data.size(); i += 3) {
      one.data.push_back(three.data[i]);
      two.data.insert(two.data.end(), {0.5F, three.data[i]});
    }
    const Planes one_out = resize_antialiased(one, 50, 11);
    const Planes two_out = resize_antialiased(two, 50, 11);
    for (std::size_t i = 0; i < one_out.data.size(); ++i) {
      ASSERT_FLOAT_EQ(one_out.data[i], expected.data[i * 3 + c]);
      ASSERT_FLOAT_EQ(two_out.data[i * 2 + 1], expected.data[i * 3 + c]);
      ASSERT_FLOAT_EQ(two_out.data[i * 2], 0.5F);
    }
  }
}

TEST(Resize, AConstantStaysConstant) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 97}, {200, 1}, {16, 17}, {33, 256}}) {
    const Planes planes{23, 31, 1, std::vector<float>(23 * 31, 0.25F)};
    const Planes out = resize_antialiased(planes, height, width);
    ASSERT_EQ(out.data.size(), static_cast<std::size_t>(height * width));
    for (const float value : out.data) ASSERT_NEAR(value, 0.25F, 1e-6F);
  }
}

TEST(Resize, OnePixelGrows) {
  const Planes out = resize_antialiased(Picture{1, 1, {255, 0, 51}}, 3, 2);
  for (std::size_t i = 0; i < out.data.size(); i += 3) {
    EXPECT_FLOAT_EQ(out.data[i], 1);
    EXPECT_FLOAT_EQ(out.data[i + 1], 0);
    EXPECT_FLOAT_EQ(out.data[i + 2], 0.2F);
  }
}

TEST(RowResizer, AnyRowsAreThoseOfTheWholeResult) {
  for (const auto& [height, width] : {std::pair{700, 500}, {20, 11}, {37, 29}, {1, 90}, {100, 1}}) {
    for (const std::int64_t channels : {1, 3}) {
      const Planes planes = ramp(37, 29, channels);
      const std::vector<float> whole = resize_antialiased(planes, height, width).data;
      const RowResizer rows(planes, height, width);
      const auto row = static_cast<std::size_t>(width * channels);
      for (const std::int64_t first : {std::int64_t{0}, std::int64_t{height} / 3, std::int64_t{height} - 1}) {
        const std::int64_t last = std::min<std::int64_t>(first + 13, height);
        std::vector<float> out(static_cast<std::size_t>(last - first) * row, 7);
        rows.rows(first, last, out);
        const auto expected = std::span(whole).subspan(static_cast<std::size_t>(first) * row, out.size());
        EXPECT_TRUE(std::ranges::equal(out, expected)) << height << "x" << width << " from " << first;
      }
    }
  }
}

TEST(Resize, RefusesSizesThatMakeNoSense) {
  const Planes planes = ramp(4, 4, 1);
  const auto code = [](auto&& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code([&] { resize_antialiased(planes, 0, 4); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(planes, 4, -1); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(planes, 1LL << 40, 1LL << 40); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(Planes{4, 4, 2, planes.data}, 2, 2); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(Planes{4, 4, 2, planes.data}, 4, 4); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(Picture{}, 2, 2); }), ErrorCode::kUsage);
  EXPECT_EQ(code([&] { resize_antialiased(Picture{2, 2, {1, 2, 3}}, 2, 2); }), ErrorCode::kUsage);
}

}  // namespace
}  // namespace sealite::pixels

#include "pixels/jnd.h"
#include "image/picture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "expect_error.h"
#include "fixture_files.h"
#include "float_checks.h"
#include "npy.h"
#include "pixels/resize.h"

namespace sealite::pixels {
namespace {

class JndGolden : public ::testing::Test {
 protected:
  static Planes photo() {
    const Picture picture = image::read_picture(fixture("photos/cup.png"));
    return resize_antialiased(picture, picture.height, picture.width);
  }
  static ReadRgbRow rows_of(const Planes& planes) {
    return [&planes](std::int64_t y, std::span<float> rgb) {
      std::copy_n(planes.data.begin() + y * static_cast<std::int64_t>(rgb.size()), rgb.size(), rgb.begin());
    };
  }
  // The whole map, `strip` rows at a time.
  static std::vector<float> map(JndVariant variant, const Planes& planes, std::int64_t strip) {
    const JndHeatMap heat(variant, planes.height, planes.width, rows_of(planes));
    const auto row = static_cast<std::size_t>(planes.width * heat.channels());
    std::vector<float> values(static_cast<std::size_t>(planes.height) * row);
    for (std::int64_t first = 0; first < planes.height; first += strip) {
      const std::int64_t last = std::min(first + strip, planes.height);
      heat.rows(first, last,
                std::span(values).subspan(static_cast<std::size_t>(first) * row,
                                          static_cast<std::size_t>(last - first) * row));
    }
    return values;
  }
};

TEST_F(JndGolden, EqualsTheReference) {
  const Planes planes = photo();
  const Npy expected = read_npy(fixture("jnd_heatmap.cup.npy"));
  ASSERT_EQ(expected.shape, (Shape{1, 1, planes.height, planes.width}));
  expect_near(map({1, 1}, planes, planes.height), expected.values, 1e-5, 0);
  EXPECT_EQ(map({1, 3}, planes, planes.height), map({1, 1}, planes, planes.height));
}

TEST_F(JndGolden, StripsGiveTheSameNumbers) {
  const Planes planes = photo();
  for (const JndVariant variant : {JndVariant{1, 1}, JndVariant{3, 3}, JndVariant{3, 1}}) {
    const std::vector<float> whole = map(variant, planes, planes.height);
    for (const std::int64_t strip : {1, 7, 32}) EXPECT_EQ(map(variant, planes, strip), whole) << strip;
  }
}

TEST_F(JndGolden, ColoursAreMappedOneByOneAndAveraged) {
  const Planes planes = photo();
  const std::vector<float> each = map({3, 3}, planes, 32);
  const std::vector<float> mean = map({3, 1}, planes, 32);
  for (std::size_t i = 0; i < mean.size(); ++i)
    ASSERT_NEAR(mean[i], (each[3 * i] + each[3 * i + 1] + each[3 * i + 2]) / 3, 1e-6) << i;
  // A grey picture has the luma's heat map in each colour.
  Planes grey = planes;
  for (std::size_t i = 0; i < grey.data.size(); i += 3) grey.data[i + 1] = grey.data[i + 2] = grey.data[i];
  const std::vector<float> luma = map({1, 1}, grey, 32);
  const std::vector<float> colours = map({3, 3}, grey, 32);
  for (std::size_t i = 0; i < luma.size(); ++i) ASSERT_NEAR(colours[3 * i + i % 3], luma[i], 1e-5) << i;
}

TEST(Jnd, OnePixelIsSurroundedByZeros) {
  const JndHeatMap heat({1, 1}, 1, 1,
                        [](std::int64_t, std::span<float> rgb) { std::ranges::fill(rgb, 1.0F); });
  float value = -1;
  heat.rows(0, 1, std::span(&value, 1));
  EXPECT_NEAR(value, 17 * (1 - std::sqrt(1e-5)) / 255, 1e-6);  // the middle of both filters is 0
}

TEST(Jnd, RefusesWhatItCannotMap) {
  const ReadRgbRow none = [](std::int64_t, std::span<float>) {};
  expect_error(ErrorCode::kMismatch, {"jnd_2_1", "1 or 3"}, [&] { JndHeatMap({2, 1}, 4, 4, none); });
  expect_error(ErrorCode::kUsage, {"0 x 4"}, [&] { JndHeatMap({1, 1}, 0, 4, none); });
  std::vector<float> out(4);
  const JndHeatMap map({1, 1}, 4, 4, none);
  for (const auto& [first, last] : {std::pair{-1, 0}, {4, 5}, {1, 1}, {0, 2}})
    expect_error(ErrorCode::kInternal, {"rows"}, [&, f = first, l = last] { map.rows(f, l, out); });
}

}  // namespace
}  // namespace sealite::pixels

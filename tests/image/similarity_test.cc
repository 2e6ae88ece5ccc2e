#include "image/similarity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"
#include "fixture_files.h"

namespace sealite::image {
namespace {

// SSIM as Wang et al. define it, window by window in double.
double plain_ssim(const Picture& a, const Picture& b) {
  double weights[11][11] = {};
  double total = 0;
  for (int i = 0; i < 11; ++i) {
    for (int j = 0; j < 11; ++j)
      total += weights[i][j] = std::exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / (2 * 1.5 * 1.5));
  }
  const auto value = [](const Picture& picture, std::int64_t y, std::int64_t x) {
    const std::uint8_t* p = picture.rgb.data() + (y * picture.width + x) * 3;
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  };
  double sum = 0;
  for (std::int64_t y = 0; y + 11 <= a.height; ++y) {
    for (std::int64_t x = 0; x + 11 <= a.width; ++x) {
      double m[5] = {};
      for (int i = 0; i < 11; ++i) {
        for (int j = 0; j < 11; ++j) {
          const double w = weights[i][j] / total;
          const double u = value(a, y + i, x + j);
          const double v = value(b, y + i, x + j);
          m[0] += w * u;
          m[1] += w * v;
          m[2] += w * u * u;
          m[3] += w * v * v;
          m[4] += w * u * v;
        }
      }
      const double c1 = 2.55 * 2.55;
      const double c2 = 7.65 * 7.65;
      sum += (2 * m[0] * m[1] + c1) * (2 * (m[4] - m[0] * m[1]) + c2) /
             ((m[0] * m[0] + m[1] * m[1] + c1) * (m[2] - m[0] * m[0] + m[3] - m[1] * m[1] + c2));
    }
  }
  return sum / static_cast<double>((a.height - 10) * (a.width - 10));
}

Picture crop(const Picture& picture, std::int64_t height, std::int64_t width) {
  Picture out{height, width, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    const auto row = picture.rgb.begin() + (y + 40) * picture.width * 3;
    out.rgb.insert(out.rgb.end(), row, row + width * 3);
  }
  return out;
}

TEST(SimilarityGolden, EqualsThePlainDefinition) {
  const Picture a = crop(read_picture(fixture("photos/coffee.png")), 75, 60);
  const Picture b = crop(read_picture(fixture("demo.coffee.watermarked.png")), 75, 60);
  const Similarity found = compare(a, b);
  EXPECT_NEAR(found.ssim.value(), plain_ssim(a, b), 1e-5);
  double error = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) error += std::pow(int{a.rgb[i]} - int{b.rgb[i]}, 2);
  EXPECT_NEAR(found.psnr, 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.rgb.size()) / error), 1e-9);
}

TEST(Similarity, EqualAndOppositePictures) {
  const Picture black{11, 20, std::vector<std::uint8_t>(660, 0)};
  const Picture white{11, 20, std::vector<std::uint8_t>(660, 255)};
  EXPECT_EQ(compare(black, black).psnr, INFINITY);
  EXPECT_NEAR(compare(black, black).ssim.value(), 1, 1e-6);
  EXPECT_NEAR(compare(black, white).psnr, 0, 1e-9);
  EXPECT_NEAR(compare(black, white).ssim.value(), 1e-4, 1e-5);
}

TEST(Similarity, SmallPicturesHaveNoSsim) {
  const Picture small{10, 20, std::vector<std::uint8_t>(600, 7)};
  EXPECT_EQ(compare(small, small).ssim, std::nullopt);
  const Picture other{20, 10, small.rgb};
  expect_error(ErrorCode::kInternal, {"10x20", "20x10"}, [&] { compare(small, other); });
}

}  // namespace
}  // namespace sealite::image

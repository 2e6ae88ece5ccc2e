#include "pixels/similarity.h"
#include "image/picture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "expect_error.h"

namespace sealite::pixels {
namespace {

// Pairs of pictures with the SSIM and PSNR that scikit-image finds (data/make_similarity.py).
TEST(SimilarityGolden, EqualsScikitImage) {
  std::ifstream file(SEALITE_SOURCE_DIR "/tests/image/data/similarity.csv");
  std::size_t pairs = 0;
  for (std::string line; std::getline(file, line); ++pairs) {
    SCOPED_TRACE(line);
    std::istringstream fields(line);
    std::string one;
    std::string other;
    double ssim = 0;
    double psnr = 0;
    char comma = 0;
    std::getline(fields, one, ',');
    std::getline(fields, other, ',');
    ASSERT_TRUE(fields >> ssim >> comma >> psnr);
    const std::filesystem::path source = SEALITE_SOURCE_DIR;
    const Similarity found = compare(image::read_picture(source / one), image::read_picture(source / other));
    EXPECT_NEAR(found.ssim.value(), ssim, 1e-6);
    EXPECT_NEAR(found.psnr, psnr, 1e-8);
  }
  EXPECT_EQ(pairs, 5U);
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
}  // namespace sealite::pixels

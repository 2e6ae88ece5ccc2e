#include <gtest/gtest.h>

#include "expect_error.h"
#include "float_checks.h"
#include "watermark/blend.h"

namespace sealite::watermark {
namespace {

pixels::Planes random_planes(std::int64_t height, std::int64_t width, std::int64_t channels, unsigned seed) {
  return {height, width, channels, random_values({height, width, channels}, seed, seed == 1 ? 0.0F : -1.0F)};
}

Picture random_picture(std::int64_t height, std::int64_t width) {
  Picture picture{height, width, {}};
  for (const float value : random_values({height, width, 3}, 3, 0, 256))
    picture.rgb.push_back(static_cast<std::uint8_t>(value));
  return picture;
}

Picture blended(const Picture& picture, const Residual& residual, const BlendOptions& options) {
  Picture marked = picture;
  blend(picture, residual, options, marked.mutable_view());
  return marked;
}

TEST(Blend, StripsGiveTheSameBytesAsOne) {
  const pixels::Planes resized = random_planes(16, 16, 3, 1);
  for (const auto& [height, width] : {std::pair{45, 37}, {9, 80}, {1, 1}}) {
    const Picture picture = random_picture(height, width);
    for (const std::int64_t channels : {1, 3}) {
      const pixels::Planes delta = random_planes(16, 16, channels, 2);
      for (const auto& attenuation :
           {std::optional<Attenuation>{}, std::optional(Attenuation{{1, 1}, false}),
            std::optional(Attenuation{{3, 3}, false}), std::optional(Attenuation{{1, 3}, true}),
            std::optional(Attenuation{{3, 1}, true}), std::optional(Attenuation{{3, 3}, true})}) {
        const Residual residual(picture, delta, resized, attenuation);
        const Picture whole = blended(picture, residual, {1, 0.7F, height});
        EXPECT_TRUE(height == 1 || whole.rgb != picture.rgb);
        for (const std::int64_t strip : {2, 7, 32})
          EXPECT_EQ(blended(picture, residual, {1, 0.7F, strip}).rgb, whole.rgb) << strip;
      }
    }
  }
}

TEST(Blend, ClampsAndRounds) {
  const Picture picture{1, 3, {0, 128, 255, 10, 20, 30, 200, 100, 0}};
  const pixels::Planes resized{1, 3, 3, std::vector<float>(9, 0.5F)};
  const pixels::Planes delta{1, 3, 1, {-1, 0.01F, 1}};
  const Residual residual(picture, delta, resized, std::nullopt);
  // 0.01 * 255 = 2.55
  EXPECT_EQ(blended(picture, residual, {1, 1}).rgb,
            (std::vector<std::uint8_t>{0, 0, 0, 13, 23, 33, 255, 255, 255}));
  EXPECT_EQ(blended(picture, residual, {1, 0}).rgb, picture.rgb);
  EXPECT_EQ(blended(picture, residual, {0.5F, 0}).rgb,
            (std::vector<std::uint8_t>{0, 64, 128, 5, 10, 15, 100, 50, 0}));
}

TEST(Blend, ThreeChannelsStayApart) {
  const Picture picture{1, 1, {100, 100, 100}};
  const pixels::Planes resized{1, 1, 3, {0.5F, 0.5F, 0.5F}};
  const Residual residual(picture, {1, 1, 3, {-0.1F, 0, 0.1F}}, resized, std::nullopt);
  EXPECT_EQ(residual.channels(), 3);
  EXPECT_EQ(blended(picture, residual, {}).rgb, (std::vector<std::uint8_t>{75, 100, 126}));
}

TEST(ParseAttenuation, KnowsTheCards) {
  EXPECT_FALSE(parse_attenuation("none"));
  const auto variant = parse_attenuation("jnd_1_3");
  ASSERT_TRUE(variant);
  EXPECT_EQ(variant->inputs, 1);
  EXPECT_EQ(variant->outputs, 3);
  for (const char* text : {"jnd", "jnd_1_2", "jnd_1_1_", "JND_1_1", "jnd_1_", "jnd-1-1", "jnd_1-1"})
    expect_error(ErrorCode::kMismatch, {"jnd_3_3"}, [&] { parse_attenuation(text); });
}

}  // namespace
}  // namespace sealite::watermark

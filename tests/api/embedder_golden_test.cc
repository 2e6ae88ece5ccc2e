// Whole pictures marked, against the reference pipeline's files.
#include <gtest/gtest.h>

#include <cstdlib>

#include "api/converted_embedder.h"
#include "expect_error.h"
#include "float_checks.h"
#include "image/picture.h"
#include "model_file/reader.h"
#include "watermark/blend.h"
#include "watermark/embedder_model.h"

namespace sealite {
namespace {

std::string message_of(const std::string& name, std::size_t index = 0) {
  const Npy messages = read_npy(fixture(name + ".messages.npy"));
  const auto bits = static_cast<std::size_t>(messages.shape[1]);
  return hex_of(std::span(messages.values).subspan(index * bits, bits));
}

// At most one level away, in at most 0.1 % of the samples.
void expect_picture(const std::filesystem::path& marked, const std::filesystem::path& expected) {
  const Picture a = image::read_picture(marked);
  const Picture b = image::read_picture(expected);
  ASSERT_EQ(a.rgb.size(), b.rgb.size());
  std::size_t different = 0;
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const int difference = std::abs(int{a.rgb[i]} - int{b.rgb[i]});
    largest = std::max(largest, difference);
    different += difference != 0 ? 1U : 0U;
  }
  const double share = static_cast<double>(different) / static_cast<double>(a.rgb.size());
  ::testing::Test::RecordProperty(expected.filename().string(), std::to_string(share));
  std::printf("%s: %zu of %zu samples differ, by %d at most\n", expected.filename().c_str(), different,
              a.rgb.size(), largest);
  EXPECT_LE(largest, 1) << expected;
  EXPECT_LE(share, 0.001) << expected;
}

class GoldenEmbed : public ::testing::TestWithParam<const char*> {
 protected:
  const std::string name = GetParam();
  const ScratchFolder folder;
};

TEST_P(GoldenEmbed, PhotosEqualTheReferences) {
  for (const ImageLayout layout : {ImageLayout::kNchw, ImageLayout::kNhwc}) {
    ConvertOptions options;
    options.layout = layout;
    convert_embedder(fixture(name + ".pth"), folder / "e.tflite", options);
    Embedder embedder = load_embedder(folder / "e.tflite");
    const std::string message = message_of(name);
    for (const std::string photo : {"chelsea", "cup"}) {
      for (const bool lowres : {false, true}) {
        if (lowres && embedder.attenuation() == "none") continue;
        EmbedFileOptions embed;
        embed.embed.attenuation = lowres ? EmbedAttenuation::kLowres : EmbedAttenuation::kCard;
        const EmbedFileReport report =
            embed_file(embedder, fixture("photos/" + photo + ".png"), folder / "out.png", message, embed);
        EXPECT_EQ(report.embedded.message, message);
        EXPECT_TRUE(report.warnings.empty());
        expect_picture(
            folder / "out.png",
            fixture(name + "." + photo + (lowres ? ".watermarked_lowres.png" : ".watermarked.png")));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenEmbed,
                         ::testing::Values("chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny",
                                           "videoseal_0.0_tiny"));

TEST(GoldenEmbedDemo, PhotosEqualTheReferences) {
  const ScratchFolder folder;
  ConvertOptions options;
  options.card = fixture("demo.card.yaml").string();
  convert_embedder(fixture("demo.pth"), folder / "e.tflite", options);
  Embedder embedder = load_embedder(folder / "e.tflite");
  EXPECT_EQ(embedder.bits(), 32U);
  EXPECT_EQ(embedder.image_size(), 64);
  EXPECT_EQ(embedder.attenuation(), "jnd_1_1");
  embed_file(embedder, fixture("coffee.png"), folder / "out.png", message_of("demo"));
  expect_picture(folder / "out.png", fixture("coffee.watermarked.png"));
  embed_file(embedder, fixture("photos/astronaut.png"), folder / "out.png", message_of("demo", 3));
  expect_picture(folder / "out.png", fixture("demo.astronaut.watermarked.png"));
}

// The float values before blending.
TEST(GoldenEmbedResidual, EqualsTheReference) {
  const ScratchFolder folder;
  convert_embedder(fixture("pixelseal_tiny.pth"), folder / "e.tflite");
  runtime::RunOptions run;
  run.library = runtime::litert_library();
  watermark::EmbedderModel embedder(runtime::CompiledModel(folder / "e.tflite", "embed", run));
  const Picture photo = image::read_picture(fixture("photos/cup.png"));
  const pixels::Planes resized = pixels::resize_antialiased(photo, embedder.height(), embedder.width());
  const pixels::Planes delta =
      embedder.delta(resized, watermark::from_hex(message_of("pixelseal_tiny"), embedder.bits()));
  const watermark::Residual residual(photo, delta, resized, watermark::Attenuation{{1, 1}, false});
  ASSERT_EQ(residual.channels(), 1);
  std::vector<float> values(photo.rgb.size() / 3);
  residual.rows(0, photo.height, values);
  expect_near(std::span<const float>(values), read_npy(fixture("pixelseal_tiny.cup.preds_w.npy")).values,
              1e-5, 0);
}

}  // namespace
}  // namespace sealite

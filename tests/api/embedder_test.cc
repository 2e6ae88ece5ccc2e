#include "sealite/embedder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "api/converted_embedder.h"
#include "expect_error.h"
#include "image/picture.h"

namespace sealite {
namespace {

constexpr const char* kMessage = "cd750d7d";

EmbedFileOptions with_metrics() {
  EmbedFileOptions options;
  options.embed.metrics = true;
  return options;
}

class EmbedDemo : public ::testing::Test {
 protected:
  static std::filesystem::path asset(const std::string& name) {
    return std::filesystem::path(SEALITE_SOURCE_DIR "/assets") / name;
  }
  EmbedDemo() {
    ConvertOptions options;
    options.card = asset("demo.card.yaml").string();
    convert_embedder(asset("demo.pth"), folder / "e.tflite", options);
    convert_detector(asset("demo.pth"), folder / "d.tflite", options);
  }
  Embedder embedder() const { return load_embedder(folder / "e.tflite"); }

  const ScratchFolder folder;
};

TEST_F(EmbedDemo, TheDetectorReadsEveryFormat) {
  Embedder marker = embedder();
  Detector reader = load_detector(folder / "d.tflite");
  for (const char* name : {"a.png", "a.jpg", "a.webp", "a.avif", "a.tif"}) {
    const EmbedFileReport report =
        embed_file(marker, asset("coffee.png"), folder / name, kMessage, with_metrics());
    EXPECT_EQ(report.bytes, std::filesystem::file_size(folder / name));
    EXPECT_NEAR(report.embedded.psnr.value(), 27.5, 0.2);
    EXPECT_NEAR(report.embedded.ssim.value(), 0.927, 0.005);
    const Detection found = detect_file(reader, folder / name);
    EXPECT_GE(reader.match(found, kMessage).matches, 31U) << name;
  }
}

TEST_F(EmbedDemo, PixelsGiveTheSameAsFiles) {
  Embedder marker = embedder();
  const EmbedFileReport file =
      embed_file(marker, asset("coffee.png"), folder / "a.png", kMessage, with_metrics());
  const Picture photo = image::read_picture(asset("coffee.png"));
  Picture marked = photo;
  const EmbedReport report = marker.embed(photo, marked.mutable_view(), kMessage, with_metrics().embed);
  EXPECT_EQ(marked.rgb, image::read_picture(folder / "a.png").rgb);
  EXPECT_EQ(report.psnr, file.embedded.psnr);
  EXPECT_EQ(report.ssim, file.embedded.ssim);
  EXPECT_FALSE(marker.embed(photo, marked.mutable_view(), kMessage).psnr) << "nobody asked";
}

TEST_F(EmbedDemo, MarksAPictureInItsPlace) {
  Embedder marker = embedder();
  const Picture photo = image::read_picture(asset("coffee.png"));
  for (const EmbedAttenuation attenuation :
       {EmbedAttenuation::kCard, EmbedAttenuation::kLowres, EmbedAttenuation::kNone}) {
    EmbedOptions options;
    options.attenuation = attenuation;
    Picture marked = photo;
    marker.embed(photo, marked.mutable_view(), kMessage, options);
    Picture own = photo;
    marker.embed(own, own.mutable_view(), kMessage, options);
    EXPECT_EQ(own.rgb, marked.rgb);
  }
}

TEST_F(EmbedDemo, StrengthScalesTheMark) {
  Embedder marker = embedder();
  EmbedFileOptions options = with_metrics();
  const auto psnr = [&] {
    return embed_file(marker, asset("coffee.png"), folder / "a.png", kMessage, options).embedded.psnr.value();
  };
  options.embed.strength = 0;
  EXPECT_EQ(psnr(), INFINITY);
  options.embed.strength = 0.5;
  EXPECT_NEAR(psnr(), 33.5, 0.4);
  options.embed.strength = 1;
  options.embed.attenuation = EmbedAttenuation::kNone;
  EXPECT_LT(psnr(), 25);
  for (const double strength : {-0.1, 100.5, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    options.embed.strength = strength;
    expect_error(ErrorCode::kUsage, {"strength"}, psnr);
  }
}

TEST_F(EmbedDemo, AnySizeOfPicture) {
  Embedder marker = embedder();
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 300}, {300, 1}, {64, 64}, {11, 10}, {65, 31}}) {
    const Picture grey{height, width,
                       std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3), 128)};
    Picture out = grey;
    EXPECT_GT(marker.embed(grey, out.mutable_view(), kMessage, with_metrics().embed).psnr.value(), 15)
        << height << "x" << width;
  }
}

TEST_F(EmbedDemo, RefusesWhatItCannotDo) {
  Embedder marker = embedder();
  const auto embed = [&](const std::filesystem::path& in, const std::filesystem::path& out,
                         const std::string& message) { embed_file(marker, in, out, message); };
  expect_error(ErrorCode::kUsage, {"8 hexadecimal digits", "found 7"},
               [&] { embed(asset("coffee.png"), folder / "a.png", "cd750d7"); });
  expect_error(ErrorCode::kUsage, {"a.gif", ".png"},
               [&] { embed(asset("coffee.png"), folder / "a.gif", kMessage); });
  expect_error(ErrorCode::kNotFound, {"missing.png"},
               [&] { embed(folder / "missing.png", folder / "a.png", kMessage); });
  std::filesystem::copy_file(asset("coffee.png"), folder / "in.png");
  expect_error(ErrorCode::kUsage, {"in.png", "input itself"},
               [&] { embed(folder / "in.png", folder / "in.png", kMessage); });
  std::filesystem::create_hard_link(folder / "e.tflite", folder / "e.png");
  expect_error(ErrorCode::kUsage, {"model itself"},
               [&] { embed(folder / "in.png", folder / "e.png", kMessage); });
  EXPECT_EQ(folder.entries(), 4);  // nothing new
  expect_error(ErrorCode::kMismatch, {"d.tflite", "'embed'", "it is a detector", "--part embedder"},
               [&] { load_embedder(folder / "d.tflite"); });
  const Picture photo = image::read_picture(asset("coffee.png"));
  Picture smaller{10, 10, std::vector<std::uint8_t>(300)};
  expect_error(ErrorCode::kUsage, {"600 x 400", "10 x 10"},
               [&] { marker.embed(photo, smaller.mutable_view(), kMessage); });
}

// Metadata of a model file, changed without changing its length.
TEST_F(EmbedDemo, RefusesMetadataThatMakeNoSense) {
  const std::string whole = read_text(folder / "e.tflite");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string file = whole;
    const auto at = file.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(from.size(), to.size());
    write_text(folder / "x.tflite", file.replace(at, from.size(), to));
  };
  with("jnd_1_1", "jnd_1_2");
  expect_error(ErrorCode::kMismatch, {"x.tflite", "jnd_1_2", "jnd_3_3"},
               [&] { load_embedder(folder / "x.tflite"); });
  with("\"scaling_w\"", "\"scaling_x\"");
  expect_error(ErrorCode::kMismatch, {"x.tflite", "scaling_w"}, [&] { load_embedder(folder / "x.tflite"); });
  with("{\"model\"", "[\"model\"");
  expect_error(ErrorCode::kMismatch, {"x.tflite", "metadata"}, [&] { load_embedder(folder / "x.tflite"); });
}

}  // namespace
}  // namespace sealite

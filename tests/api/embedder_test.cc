#include "sealite/embedder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "api/converted_embedder.h"
#include "expect_error.h"
#include "image/picture.h"

namespace sealite {
namespace {

constexpr const char* kMessage = "cd750d7d";

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
    const EmbedReport report = marker.embed_file(asset("coffee.png"), folder / name, kMessage);
    EXPECT_EQ(report.bytes, std::filesystem::file_size(folder / name));
    EXPECT_NEAR(report.psnr, 27.5, 0.2);
    EXPECT_NEAR(report.ssim.value(), 0.927, 0.005);
    const Detection found = reader.detect_file(folder / name);
    EXPECT_GE(reader.match(found, kMessage).matches, 31U) << name;
  }
}

TEST_F(EmbedDemo, PixelsGiveTheSameAsFiles) {
  Embedder marker = embedder();
  const EmbedReport file = marker.embed_file(asset("coffee.png"), folder / "a.png", kMessage);
  const pixels::Picture photo = image::read_picture(asset("coffee.png"));
  const EmbeddedPixels pixels = marker.embed_pixels(photo.rgb, photo.height, photo.width, kMessage);
  EXPECT_EQ(pixels.rgb, image::read_picture(folder / "a.png").rgb);
  EXPECT_EQ(pixels.report.psnr, file.psnr);
  EXPECT_EQ(pixels.report.bytes, 0U);
  for (const auto& [height, width] : {std::pair{1, 1}, {0, 0}, {-1, -4}, {1 << 30, 1 << 30}})
    expect_error(ErrorCode::kUsage, {"RGB picture"},
                 [&, h = height, w = width] { marker.embed_pixels(photo.rgb, h, w, kMessage); });
}

TEST_F(EmbedDemo, StrengthScalesTheMark) {
  Embedder marker = embedder();
  EmbedOptions options;
  options.strength = 0;
  EXPECT_EQ(marker.embed_file(asset("coffee.png"), folder / "a.png", kMessage, options).psnr, INFINITY);
  options.strength = 0.5;
  EXPECT_NEAR(marker.embed_file(asset("coffee.png"), folder / "a.png", kMessage, options).psnr, 33.5, 0.4);
  options.strength = 1;
  options.attenuation = EmbedAttenuation::kNone;
  EXPECT_LT(marker.embed_file(asset("coffee.png"), folder / "a.png", kMessage, options).psnr, 25);
  for (const double strength : {-0.1, 100.5, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    options.strength = strength;
    expect_error(ErrorCode::kUsage, {"strength"},
                 [&] { marker.embed_file(asset("coffee.png"), folder / "b.png", kMessage, options); });
  }
}

TEST_F(EmbedDemo, AnySizeOfPicture) {
  Embedder marker = embedder();
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 300}, {300, 1}, {64, 64}, {11, 10}, {65, 31}}) {
    const std::vector<std::uint8_t> grey(static_cast<std::size_t>(height * width * 3), 128);
    const EmbeddedPixels out = marker.embed_pixels(grey, height, width, kMessage);
    EXPECT_EQ(out.rgb.size(), grey.size());
    EXPECT_GT(out.report.psnr, 15) << height << "x" << width;
  }
}

TEST_F(EmbedDemo, RefusesWhatItCannotDo) {
  Embedder marker = embedder();
  const auto embed = [&](const std::filesystem::path& in, const std::filesystem::path& out,
                         const std::string& message) { marker.embed_file(in, out, message); };
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
  expect_error(ErrorCode::kMismatch, {"x.tflite", "JSON"}, [&] { load_embedder(folder / "x.tflite"); });
}

}  // namespace
}  // namespace sealite

// Whole pictures, resize included, against the reference pipeline.
#include <gtest/gtest.h>

#include <cmath>

#include "api/converted_detector.h"
#include "expect_error.h"
#include "float_checks.h"
#include "image/picture.h"

namespace sealite {
namespace {

// The resize rounds otherwise than PyTorch's, and PNG readers do not: 2e-4 of logits of about 1.
constexpr double kTolerance = 2e-4;

class GoldenPhotos : public ::testing::TestWithParam<const char*> {
 protected:
  const std::string name = GetParam();
  const ScratchFolder folder;
};

TEST_P(GoldenPhotos, GiveTheReferencesLogits) {
  for (const ImageLayout layout : {ImageLayout::kNchw, ImageLayout::kNhwc}) {
    ConvertOptions options;
    options.layout = layout;
    convert_detector(fixture(name + ".pth"), folder / "d.tflite", options);
    Detector detector = load_detector(folder / "d.tflite");
    const Npy coffee = read_npy(fixture(name + ".coffee.logits_clean.npy"));
    expect_near(detect_file(detector, fixture("coffee.png")).logits, coffee.values, kTolerance, 0);
    for (const std::string photo : {"chelsea", "cup"}) {
      const Npy clean = read_npy(fixture(name + "." + photo + ".logits_clean.npy"));
      const Npy marked = read_npy(fixture(name + "." + photo + ".logits_watermarked.npy"));
      EXPECT_EQ(detector.bits() + 1, clean.values.size());
      expect_near(detect_file(detector, fixture("photos/" + photo + ".png")).logits, clean.values, kTolerance,
                  0, photo);
      expect_near(detect_file(detector, fixture(name + "." + photo + ".watermarked.png")).logits,
                  marked.values, kTolerance, 0, photo);
    }
  }
}

TEST_P(GoldenPhotos, ADynamicModelReadsThemAtItsOwnSize) {
  ConvertOptions options;
  options.dynamic = name != "videoseal_0.0_tiny";  // a transformer has one size
  convert_detector(fixture(name + ".pth"), folder / "d.tflite", options);
  Detector detector = load_detector(folder / "d.tflite");
  EXPECT_EQ(detector.image_size(), 256);
  const Npy clean = read_npy(fixture(name + ".coffee.logits_clean.npy"));
  expect_near(detect_file(detector, fixture("coffee.png")).logits, clean.values, kTolerance, 0);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenPhotos,
                         ::testing::Values("chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny",
                                           "videoseal_0.0_tiny"));

class GoldenDemo : public ::testing::Test {
 protected:
  GoldenDemo() { convert_detector(fixture("demo.pth"), folder / "demo.tflite"); }
  std::string message(std::size_t index) const {
    return hex_of(std::span(messages.values).subspan(index * 32, 32));
  }

  const ScratchFolder folder;
  const Npy messages = read_npy(fixture("demo.messages.npy"));
};

TEST_F(GoldenDemo, ReadsWhatIsInThePictures) {
  Detector detector = load_detector(folder / "demo.tflite");
  EXPECT_EQ(detector.bits(), 32U);
  EXPECT_EQ(detector.image_size(), 64);
  EXPECT_TRUE(detector.fully_delegated());

  const Detection coffee = detect_file(detector, fixture("coffee.watermarked.png"));
  EXPECT_EQ(coffee.message, message(0));
  const MessageMatch all = detector.match(coffee, message(0));
  EXPECT_EQ(all.matches, 32U);
  EXPECT_EQ(all.bits, 32U);
  EXPECT_NEAR(all.p_value * 0x1p32, 1, 1e-6);
  expect_near(coffee.logits, read_npy(fixture("demo.coffee.logits_watermarked.npy")).values, kTolerance,
              kTolerance);

  const Detection astronaut = detect_file(detector, fixture("demo.astronaut.watermarked.png"));
  EXPECT_EQ(detector.match(astronaut, message(3)).matches, 32U);
  expect_near(astronaut.logits, read_npy(fixture("demo.astronaut.logits_watermarked.npy")).values, kTolerance,
              kTolerance);

  const Detection clean = detect_file(detector, fixture("coffee.png"));
  const MessageMatch chance = detector.match(clean, message(0));
  EXPECT_GE(chance.matches, 12U);
  EXPECT_LE(chance.matches, 18U);
  EXPECT_GT(chance.p_value, 0.2);
}

TEST_F(GoldenDemo, PixelsReadAsTheirFileDoes) {
  Detector detector = load_detector(folder / "demo.tflite");
  const auto path = fixture("coffee.watermarked.png");
  const Picture picture = image::read_picture(path);
  const Detection from_pixels = detector.detect(picture);
  EXPECT_EQ(from_pixels.logits, detect_file(detector, path).logits);
  EXPECT_EQ(from_pixels.ones, static_cast<std::size_t>(std::ranges::count_if(
                                  std::span(from_pixels.logits).subspan(1), [](float x) { return x > 0; })));
  for (const auto& [height, width] : {std::pair{0, 0}, {-1, -1}, {1, 0}})
    expect_error(ErrorCode::kUsage, {"pixels"},
                 [&, h = height, w = width] { detector.detect(view_pixels(picture.rgb.data(), w, h)); });
  expect_error(ErrorCode::kUsage, {"missing"}, [&] { detector.detect(view_pixels(nullptr, 2, 2)); });
  expect_error(ErrorCode::kUsage, {"rows of 6 bytes", "5"},
               [&] { detector.detect(view_pixels(picture.rgb.data(), 2, 2, PixelFormat::kRgb, 5)); });
}

// As one after the other, whatever is read beside it; a broken picture is an error of its own.
TEST_F(GoldenDemo, ManyFilesInOrder) {
  Detector detector = load_detector(folder / "demo.tflite");
  std::vector<std::filesystem::path> pictures;
  for (int i = 0; i < 6; ++i) {
    for (const char* name : {"cup.png", "chelsea.png", "absent.png", "rocket.jpg", "astronaut.png"})
      pictures.push_back(fixture("photos") / name);
    pictures.push_back(folder / "demo.tflite");
  }
  std::vector<std::vector<float>> wanted;
  for (std::size_t i = 0; i < 6; ++i)
    wanted.push_back(i == 2 || i == 5 ? std::vector<float>() : detect_file(detector, pictures[i]).logits);
  for (const int readers : {1, 3, 8}) {
    std::size_t next = 0;
    detect_files(detector, pictures, readers, [&](std::size_t index, PictureDetection found) {
      EXPECT_EQ(index, next++);
      const std::size_t which = index % 6;
      EXPECT_EQ(found.detection.logits, wanted[which]);
      ASSERT_EQ(found.error.has_value(), which == 2 || which == 5);
      if (!found.error) return;
      const std::string_view text = found.error->what();
      EXPECT_EQ(found.error->code(), which == 2 ? ErrorCode::kNotFound : ErrorCode::kMalformed);
      EXPECT_TRUE(text.starts_with(pictures[index].string())) << text;
    });
    EXPECT_EQ(next, pictures.size());
  }
  // What the caller throws ends it, and the detector can be used again.
  std::size_t seen = 0;
  EXPECT_THROW(detect_files(detector, pictures, 2,
                            [&](std::size_t, const PictureDetection&) {
                              if (++seen == 3) throw std::runtime_error("enough");
                            }),
               std::runtime_error);
  EXPECT_EQ(seen, 3U);
  EXPECT_EQ(detect_file(detector, pictures[0]).logits, wanted[0]);
  detect_files(detector, {}, 1, [](std::size_t, const PictureDetection&) { FAIL(); });
  expect_error(ErrorCode::kUsage, {"0 readers"},
               [&] { detect_files(detector, pictures, 0, [](std::size_t, const PictureDetection&) {}); });
}

TEST_F(GoldenDemo, WrongQuestions) {
  Detector detector = load_detector(folder / "demo.tflite");
  const Detection detection = detect_file(detector, fixture("coffee.png"));
  expect_error(ErrorCode::kUsage, {"32 bits"}, [&] { detector.match(detection, "1234"); });
  expect_error(ErrorCode::kNotFound, {"absent.png"}, [&] { detect_file(detector, folder / "absent.png"); });
  expect_error(ErrorCode::kMalformed, {}, [&] { detect_file(detector, folder / "demo.tflite"); });
  expect_error(ErrorCode::kNotFound, {"absent.tflite"}, [&] { load_detector(folder / "absent.tflite"); });
  expect_error(ErrorCode::kMalformed, {"coffee.png"}, [&] { load_detector(fixture("coffee.png")); });
  expect_error(ErrorCode::kMismatch, {"'detect'"},
               [&] { load_detector(SEALITE_SOURCE_DIR "/tests/runtime/data/two_signatures.tflite"); });
}

TEST_F(GoldenDemo, ADetectorMovesAndThreadsDoNotMatter) {
  Detector detector = load_detector(folder / "demo.tflite");
  const auto path = fixture("coffee.png");
  const Detection before = detect_file(detector, path);
  Detector moved = std::move(detector);
  EXPECT_EQ(detect_file(moved, path).logits, before.logits);
  DetectorOptions options;
  options.context.litert_library = runtime::litert_library();
  options.inference_threads = 2;
  Detector threaded(folder / "demo.tflite", options);
  expect_near(detect_file(threaded, path).logits, before.logits, 1e-5, 1e-5);
}

}  // namespace
}  // namespace sealite

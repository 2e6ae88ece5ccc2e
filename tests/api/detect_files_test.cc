// Many pictures at once, also under the thread sanitizer (`make tsan`).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/scratch_folder.h"
#include "runtime/litert_library.h"
#include "sealite/sealite.hpp"

namespace sealite {
namespace {

class DetectFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    ConvertOptions options;
    options.card = asset("demo.card.yaml");
    convert_detector(asset("demo.pth"), folder / "demo.tflite", options);
    DetectorOptions run;
    run.context.litert_library = runtime::litert_library();
    detector.emplace(folder / "demo.tflite", run);
    write_text(folder / "broken.png", "no picture");
    for (int i = 0; i < 3; ++i) {
      for (const char* name :
           {"rgb.jpg", "grey.png", "rgb.tif", "lossy.webp", "progressive_422.jpg", "cmyk.jpg"})
        pictures.emplace_back(std::string(SEALITE_SOURCE_DIR "/tests/image/data/") + name);
      pictures.push_back(folder / "broken.png");
      pictures.emplace_back(asset("coffee.watermarked.png"));
    }
  }
  static std::string asset(const std::string& name) { return SEALITE_SOURCE_DIR "/assets/" + name; }

  const ScratchFolder folder;
  std::optional<Detector> detector;
  std::vector<std::filesystem::path> pictures;
};

TEST_F(DetectFiles, GivesWhatEachAloneGives) {
  std::vector<std::vector<float>> alone;
  for (const auto& picture : pictures)
    alone.push_back(picture == folder / "broken.png" ? std::vector<float>()
                                                     : detect_file(*detector, picture).logits);
  for (const int readers : {1, 2, 5}) {
    std::size_t next =
        0;  // no atomic: it is called by one thread at a time, which sees what the last one did
    detect_files(*detector, pictures, readers, [&](std::size_t index, const PictureDetection& found) {
      EXPECT_EQ(index, next++);
      EXPECT_EQ(found.error.has_value(), pictures[index] == folder / "broken.png");
      if (!found.error) {
        EXPECT_EQ(found.detection.logits, alone[index]) << pictures[index];
      }
    });
    EXPECT_EQ(next, pictures.size());
  }
}

#if defined(__SANITIZE_THREAD__)
using DetectFilesDeathTest = DetectFiles;

// Neither libvips, GLib nor LiteRT, which are not instrumented, hide a race from the sanitizer.
TEST_F(DetectFilesDeathTest, ARaceIsSeen) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto race = [&] {
    std::size_t shared = 0;
    {
      std::atomic<bool> stop{false};
      const std::jthread other([&] {
        while (!stop) ++shared;
      });
      detect_files(*detector, pictures, 2, [&](std::size_t, const PictureDetection&) { ++shared; });
      stop = true;
    }
    std::exit(shared == 0 ? 1 : 0);  // the sanitizer makes it 66
  };
  EXPECT_EXIT(race(), ::testing::ExitedWithCode(66), "data race");
}
#endif

}  // namespace
}  // namespace sealite

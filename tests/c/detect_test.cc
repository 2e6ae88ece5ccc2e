#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>

#include "c/handle.h"

namespace sealite {
namespace {

using CDetect = DemoModels;

// A detection with buffers for the demo's 32 bits.
struct Buffers {
  Buffers() {
    detection.logits = logits.data();
    detection.logits_capacity = logits.size();
    detection.message = message.data();
    detection.message_capacity = message.size();
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  std::array<float, 33> logits{};
  std::array<char, 9> message{};
  sealite_detection detection = sized<sealite_detection>();
};

TEST_F(CDetect, WhatIsMarkedIsRead) {
  const ContextHandle context = open_context();
  const EmbedderHandle embedder = open_embedder(context.get());
  const DetectorHandle detector = open_detector(context.get());
  const Gradient picture(320, 240);
  Gradient marked(320, 240);
  const sealite_pixels from = picture.view();
  const sealite_mutable_pixels into = marked.mutable_view();
  auto options = sized<sealite_embed_options>();
  options.metrics = 1;
  auto report = sized<sealite_embed_report>();
  ASSERT_TRUE(succeeds(sealite_embed(embedder.get(), &from, &into, "0badcafe", &options, &report)));
  EXPECT_GT(report.psnr, 20);
  EXPECT_LT(report.psnr, 60);
  EXPECT_GT(report.ssim, 0.5);
  EXPECT_NE(picture.rgb, marked.rgb);

  Buffers found;
  const sealite_pixels view = marked.view();
  ASSERT_TRUE(succeeds(sealite_detect(detector.get(), &view, &found.detection)));
  EXPECT_STREQ(found.message.data(), "0badcafe");
  EXPECT_EQ(found.detection.ones, 19U);
  EXPECT_EQ(found.detection.logits_count, 33U);
  EXPECT_EQ(found.detection.message_size, 9U);

  ASSERT_TRUE(succeeds(sealite_embed(embedder.get(), &from, &into, "0badcafe", nullptr, &report)));
  EXPECT_TRUE(std::isnan(report.psnr) && std::isnan(report.ssim)) << "nobody asked for them";
}

TEST_F(CDetect, ABatchGivesWhatEachGives) {
  const ContextHandle context = open_context();
  const DetectorHandle detector = open_detector(context.get());
  const Gradient wide(320, 100);
  const Gradient high(80, 200);
  const std::array<sealite_pixels, 2> views{wide.view(), high.view()};
  const std::array<const sealite_pixels*, 2> pictures{&views[0], &views[1]};
  std::array<Buffers, 2> one;
  std::array<Buffers, 2> all;
  const std::array<sealite_detection*, 2> detections{&all[0].detection, &all[1].detection};
  ASSERT_TRUE(succeeds(sealite_detect_batch(detector.get(), pictures.data(), 2, detections.data())));
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(succeeds(sealite_detect(detector.get(), pictures[i], &one[i].detection)));
    EXPECT_EQ(one[i].logits, all[i].logits);
    EXPECT_EQ(one[i].message, all[i].message);
  }
  EXPECT_NE(one[0].logits, one[1].logits);
  EXPECT_TRUE(succeeds(sealite_detect_batch(detector.get(), nullptr, 0, nullptr)));
  EXPECT_TRUE(fails(sealite_detect_batch(detector.get(), pictures.data(), 2, nullptr), SEALITE_USAGE,
                    "'detections'"));
}

TEST_F(CDetect, ModelsComeFromBytesAndDescriptorsToo) {
  const ContextHandle context = open_context();
  std::ifstream file(detector_path(), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  sealite_detector* opened = nullptr;
  ASSERT_TRUE(
      succeeds(sealite_detector_open_bytes(context.get(), bytes.data(), bytes.size(), nullptr, &opened)));
  const DetectorHandle in_memory(opened);
  const int descriptor = ::open(detector_path().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(succeeds(sealite_detector_open_fd(context.get(), descriptor, nullptr, &opened)));
  const DetectorHandle by_descriptor(opened);
  ::close(descriptor);
  const Gradient picture(64, 64);
  const sealite_pixels view = picture.view();
  Buffers first;
  Buffers second;
  ASSERT_TRUE(succeeds(sealite_detect(in_memory.get(), &view, &first.detection)));
  ASSERT_TRUE(succeeds(sealite_detect(by_descriptor.get(), &view, &second.detection)));
  EXPECT_EQ(first.logits, second.logits);
  auto info = sized<sealite_model_info>();
  ASSERT_TRUE(succeeds(sealite_detector_info(in_memory.get(), &info)));
  EXPECT_EQ(info.bits, 32U);
  EXPECT_EQ(info.image_size, 64);
  EXPECT_EQ(info.fully_delegated, 1);
  EXPECT_EQ(info.cache_use, SEALITE_CACHE_OFF);
}

TEST_F(CDetect, AnotherModelIsAnErrorThatSaysSo) {
  const ContextHandle context = open_context();
  sealite_detector* detector = nullptr;
  EXPECT_TRUE(fails(sealite_detector_open(context.get(), embedder_path().c_str(), nullptr, &detector),
                    SEALITE_MISMATCH, "not a detector"));
  EXPECT_EQ(detector, nullptr);
  EXPECT_TRUE(
      fails(sealite_detector_open(context.get(), kCard, nullptr, &detector), SEALITE_MALFORMED, kCard));
  EXPECT_TRUE(fails(sealite_detector_open(context.get(), "absent.tflite", nullptr, &detector),
                    SEALITE_NOT_FOUND, "absent.tflite"));
  EXPECT_TRUE(fails(sealite_detector_open_bytes(context.get(), "TFL3", 4, nullptr, &detector),
                    SEALITE_MALFORMED, "the model in memory"));
  EXPECT_NE(sealite_detector_open_fd(context.get(), -1, nullptr, &detector), SEALITE_OK);
  EXPECT_TRUE(
      fails(sealite_detector_open(context.get(), nullptr, nullptr, &detector), SEALITE_USAGE, "'path'"));
  EXPECT_TRUE(fails(sealite_detector_open(context.get(), detector_path().c_str(), nullptr, nullptr),
                    SEALITE_USAGE, "'detector'"));
  sealite_embedder* embedder = nullptr;
  EXPECT_TRUE(fails(sealite_embedder_open(context.get(), detector_path().c_str(), nullptr, &embedder),
                    SEALITE_MISMATCH, detector_path()));
}

TEST_F(CDetect, WrongBuffersAndPixelsAreUsage) {
  const ContextHandle context = open_context();
  const DetectorHandle detector = open_detector(context.get());
  const Gradient picture(64, 64);
  const sealite_pixels view = picture.view();
  Buffers found;
  found.detection.logits_capacity = 32;
  EXPECT_TRUE(fails(sealite_detect(detector.get(), &view, &found.detection), SEALITE_USAGE, "'logits'"));
  EXPECT_EQ(found.detection.logits_count, 33U);
  Buffers other;
  other.detection.message_capacity = 8;
  EXPECT_TRUE(fails(sealite_detect(detector.get(), &view, &other.detection), SEALITE_USAGE, "'message'"));
  EXPECT_EQ(other.detection.message_size, 9U);
  auto nothing_wanted = sized<sealite_detection>();
  EXPECT_TRUE(succeeds(sealite_detect(detector.get(), &view, &nothing_wanted)));

  Buffers good;
  EXPECT_TRUE(fails(sealite_detect(nullptr, &view, &good.detection), SEALITE_USAGE, "'detector'"));
  EXPECT_TRUE(fails(sealite_detect(detector.get(), nullptr, &good.detection), SEALITE_USAGE, "'picture'"));
  EXPECT_TRUE(fails(sealite_detect(detector.get(), &view, nullptr), SEALITE_USAGE, "'detection'"));
  const auto with = [&](auto&& change) {
    sealite_pixels changed = picture.view();
    change(changed);
    return sealite_detect(detector.get(), &changed, &good.detection);
  };
  EXPECT_TRUE(fails(with([](sealite_pixels& pixels) { pixels.format = 7; }), SEALITE_USAGE, "'format'"));
  EXPECT_TRUE(fails(with([](sealite_pixels& pixels) { pixels.format = -1; }), SEALITE_USAGE, "'format'"));
  EXPECT_TRUE(fails(with([](sealite_pixels& pixels) { pixels.reserved = 1; }), SEALITE_USAGE, "reserved"));
  EXPECT_NE(with([](sealite_pixels& pixels) { pixels.planes[0] = nullptr; }), SEALITE_OK);
  EXPECT_NE(with([](sealite_pixels& pixels) { pixels.width = -1; }), SEALITE_OK);
  EXPECT_NE(with([](sealite_pixels& pixels) { pixels.strides[0] = 3; }), SEALITE_OK);
}

TEST_F(CDetect, StructsOfOtherSizesAreRefusedUnlessTheyAskForNothingNew) {
  const ContextHandle context = open_context();
  const DetectorHandle detector = open_detector(context.get());
  const auto info_of_size = [&](std::size_t size, unsigned char behind) {
    struct {
      sealite_model_info info;
      std::array<unsigned char, 64> later;
    } newer{};
    newer.later[8] = behind;
    newer.info.struct_size = size;
    return sealite_detector_info(detector.get(), &newer.info);
  };
  constexpr std::size_t kSize = sizeof(sealite_model_info);
  EXPECT_TRUE(fails(info_of_size(0, 0), SEALITE_USAGE, "struct_size is 0"));
  EXPECT_TRUE(fails(info_of_size(kSize - 8, 0), SEALITE_USAGE, "struct_size"));
  EXPECT_TRUE(fails(info_of_size(SIZE_MAX, 0), SEALITE_USAGE, "struct_size"));
  EXPECT_TRUE(succeeds(info_of_size(kSize, 1)));
  EXPECT_TRUE(succeeds(info_of_size(kSize + 16, 0)));
  EXPECT_TRUE(fails(info_of_size(kSize + 16, 1), SEALITE_USAGE, "does not know"));

  sealite_context* none = nullptr;
  sealite_context_options options{};
  EXPECT_TRUE(fails(sealite_context_open(&options, &none), SEALITE_USAGE, "struct_size is 0"));
  options.struct_size = sizeof options;
  options.threads = -1;
  EXPECT_TRUE(fails(sealite_context_open(&options, &none), SEALITE_USAGE, "'threads'"));
  EXPECT_EQ(none, nullptr);
}

TEST_F(CDetect, WhatLiteRtSaysGoesToTheLogCallback) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // LiteRT says it once in a process
  const auto log_and_leave = [] {
    auto options = sized<sealite_context_options>();
    std::string lines;
    options.user = &lines;
    options.log = [](void* user, std::int32_t level, const char* line) {
      *static_cast<std::string*>(user) +=
          (level == SEALITE_LOG_INFO ? "<info: " : "<?: ") + std::string(line) + ">";
    };
    const ContextHandle context = open_context(options);
    const DetectorHandle detector = open_detector(context.get());
    std::fputs(lines.c_str(), stderr);
    std::_Exit(0);
  };
  EXPECT_EXIT(log_and_leave(), ::testing::ExitedWithCode(0), "^<info: .*XNNPACK delegate for CPU.*>$");
}

}  // namespace
}  // namespace sealite

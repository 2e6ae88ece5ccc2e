// A program of somebody else's that uses the library: also under the thread sanitizer (`make tsan`).
#include <gtest/gtest.h>
#include <vips/vips.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "api/converted_embedder.h"
#include "expect_error.h"
#include "sealite/sealite.hpp"

namespace sealite::host {
namespace {

constexpr const char* kMessage = "cd750d7d";

constexpr const char* kFiles[] = {"a.png", "a.jpg", "a.webp", "a.avif", "a.tif"};

std::string asset(const std::string& name) {
  return SEALITE_SOURCE_DIR "/assets/" + name;
}

Context host_context() {
  Context context;
  context.litert_library = runtime::litert_library();
  return context;
}

class Host : public ::testing::Test {
 protected:
  void SetUp() override {
    ConvertOptions options;
    options.card = asset("demo.card.yaml");
    convert_detector(asset("demo.pth"), folder / "d.tflite", options);
    options.layout = ImageLayout::kNhwc;
    convert_detector(asset("demo.pth"), folder / "nhwc.tflite", options);
    convert_embedder(asset("demo.pth"), folder / "e.tflite", options);
    photo = read_picture(asset("coffee.png"));
  }

  const ScratchFolder folder;
  Picture photo;
};

using HostDeathTest = Host;
using HostFiles = Host;  // libvips' own threads write them: not for the thread sanitizer

std::size_t thread_count() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

// Two detectors and an embedder, all at once, again and again.
void use_three_models(const std::filesystem::path& folder, const Picture& photo, int rounds) {
  Detector nchw(folder / "d.tflite", {host_context(), 1});
  Detector nhwc(folder / "nhwc.tflite", {host_context(), 1});
  Embedder embedder(folder / "e.tflite", {host_context(), 1});
  Picture marked = photo;
  embedder.embed(photo, marked.mutable_view(), kMessage);
  const std::vector<float> expected = nchw.detect(marked).logits;
  const auto read = [&](Detector& detector) {
    for (int i = 0; i < rounds; ++i) {
      const Detection found = detector.detect(marked);
      ASSERT_EQ(found.message, kMessage);
      for (std::size_t k = 0; k < expected.size(); ++k) ASSERT_NEAR(found.logits[k], expected[k], 1e-4);
    }
  };
  const auto mark = [&] {
    for (int i = 0; i < rounds; ++i) {
      Picture own = photo;
      embedder.embed(photo, own.mutable_view(), kMessage);
      ASSERT_EQ(own.rgb, marked.rgb);
    }
  };
  const auto look = [&] {
    for (int i = 0; i < rounds; ++i)
      ASSERT_EQ(inspect_model(folder / "d.tflite").signatures.at(0).key, "detect");
  };
  const std::jthread threads[] = {std::jthread([&] { read(nchw); }), std::jthread([&] { read(nhwc); }),
                                  std::jthread(mark), std::jthread(look)};
}

TEST_F(Host, SeveralModelsOnFourThreads) {
  use_three_models(folder.path(), photo, 5);
}

TEST_F(HostDeathTest, NothingIsPrinted) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        use_three_models(folder.path(), photo, 1);
        std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "^$");
}

// One handle on two threads: each call is answered or refused, and none is wrong.
TEST_F(Host, OneHandleOnTwoThreadsIsAnError) {
  Detector detector(folder / "d.tflite", {host_context(), 1});
  const std::vector<float> expected = detector.detect(photo).logits;
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  const auto read = [&] {
    for (int i = 0; i < 20; ++i) {
      try {
        ASSERT_EQ(detector.detect(photo).logits, expected);
        ++answered;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ErrorCode::kUsage) << error.what();
        ++refused;
      }
    }
  };
  {
    const std::jthread threads[] = {std::jthread(read), std::jthread(read)};
  }
  EXPECT_GT(answered, 0);
  EXPECT_EQ(answered + refused, 40);
}

TEST_F(HostFiles, NoSignalHandlerNoEnvironmentNoSettingOfLibvipsChanges) {
  ASSERT_EQ(vips_init("host"), 0);
  vips_cache_set_max(77);
  vips_concurrency_set(3);
  const auto handlers = [] {
    std::vector<const void*> found;
    for (int signal = 1; signal < NSIG; ++signal) {
      struct sigaction action{};
      if (::sigaction(signal, nullptr, &action) == 0)
        found.push_back(reinterpret_cast<const void*>(action.sa_handler));
    }
    return found;
  };
  const auto environment = [] {
    std::vector<std::string> found;
    for (char** entry = environ; *entry != nullptr; ++entry) found.emplace_back(*entry);
    return found;
  };
  const auto handlers_before = handlers();
  const auto environment_before = environment();
  Detector detector(folder / "d.tflite", {host_context(), 1});
  Embedder embedder(folder / "e.tflite", {host_context(), 1});
  for (const char* name : kFiles) {
    embed_file(embedder, asset("coffee.png"), folder / name, kMessage);
    EXPECT_GE(detector.match(detect_file(detector, folder / name), kMessage).matches, 31U) << name;
  }
  EXPECT_EQ(handlers(), handlers_before);
  EXPECT_EQ(environment(), environment_before);
  EXPECT_EQ(vips_cache_get_max(), 77);
  EXPECT_EQ(vips_concurrency_get(), 3);
}

// libvips keeps operations; a file that has changed since must not be answered from there.
TEST_F(HostFiles, AFileThatHasChangedIsReadAnew) {
  Embedder embedder(folder / "e.tflite", {host_context(), 1});
  for (const char* name : kFiles) {
    embed_file(embedder, asset("coffee.png"), folder / name, "00000000");
    const Picture before = read_picture(folder / name);
    embed_file(embedder, asset("coffee.png"), folder / name, "ffffffff");
    EXPECT_NE(read_picture(folder / name).rgb, before.rgb) << name;
  }
}

TEST_F(Host, PicturesInMemoryAreReadAsTheirFilesAre) {
  for (const char* name : {"coffee.png", "coffee.watermarked.png"}) {
    const std::string file = read_text(asset(name));
    EXPECT_EQ(decode_picture(std::as_bytes(std::span(file))).rgb, read_picture(asset(name)).rgb);
  }
  const std::string cut = read_text(asset("coffee.png")).substr(0, 5000);
  expect_error(ErrorCode::kMalformed, {"picture in memory"},
               [&] { decode_picture(std::as_bytes(std::span(cut))); });
  expect_error(ErrorCode::kMalformed, {"no bytes"}, [&] { decode_picture({}); });
  const std::string file = read_text(asset("coffee.png"));
  expect_error(ErrorCode::kUnsupported, {},
               [&] { decode_picture(std::as_bytes(std::span(file)), {.max_pixels = 1000}); });
}

// LiteRT's threads and ours, while a call with two of them goes on.
TEST_F(Host, UsesAtMostTheThreadsItMay) {
  Context context = host_context();
  context.threads = 2;
  Picture large{900, 900, std::vector<std::uint8_t>(900 * 900 * 3, 90)};
  Embedder embedder(folder / "e.tflite", {context, 2});
  const std::size_t before = thread_count();
  std::atomic<bool> done{false};
  std::size_t most = 0;
  {
    const std::jthread watcher([&] {
      while (!done) most = std::max(most, thread_count());
    });
    Picture marked = large;
    EmbedOptions options;
    options.metrics = true;
    for (int i = 0; i < 5; ++i) embedder.embed(large, marked.mutable_view(), kMessage, options);
    done = true;
  }
  EXPECT_LE(most, before + 2) << "the watcher and one more";
}

TEST_F(Host, CancelledItLeavesNoFile) {
  ConvertOptions options;
  options.card = asset("demo.card.yaml");
  std::atomic<int> asked{0};
  options.context.cancelled = [&] { return ++asked > 3; };
  expect_error(ErrorCode::kInterrupted, {"interrupted"},
               [&] { convert_detector(asset("demo.pth"), folder / "x.tflite", options); });
  EXPECT_FALSE(std::filesystem::exists(folder / "x.tflite"));
  EXPECT_EQ(asked, 4);
}

// An encoder writes from libvips' threads, which know the host too; all before it asks from this one.
TEST_F(HostFiles, CancelledWhileItEncodesItLeavesNoPicture) {
  const auto own = std::this_thread::get_id();
  std::atomic<int> before{0};
  Context context = host_context();
  context.cancelled = [&] {
    before += std::this_thread::get_id() == own ? 1 : 0;
    return std::this_thread::get_id() != own;
  };
  Embedder embedder(folder / "e.tflite", {context, 1});
  before = 0;
  expect_error(ErrorCode::kInterrupted, {"interrupted"},
               [&] { embed_file(embedder, asset("coffee.png"), folder / "a.png", kMessage); });
  EXPECT_GT(before, 25) << "a strip of 16 of the 400 rows each";
  EXPECT_FALSE(std::filesystem::exists(folder / "a.png"));
}

TEST_F(HostFiles, CancelledBeforeItLeavesNoPicture) {
  std::atomic<bool> wanted{false};
  Context context = host_context();
  context.cancelled = [&] { return wanted.load(); };
  Embedder embedder(folder / "e.tflite", {context, 1});
  wanted = true;
  expect_error(ErrorCode::kInterrupted, {"interrupted"},
               [&] { embed_file(embedder, asset("coffee.png"), folder / "b.png", kMessage); });
  EXPECT_FALSE(std::filesystem::exists(folder / "b.png"));
}

TEST_F(Host, IsToldOfProgress) {
  ConvertOptions options;
  options.card = asset("demo.card.yaml");
  std::vector<std::string> steps;
  options.context.progress = [&](std::string_view step, std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    if (steps.empty() || steps.back() != step) steps.emplace_back(step);
  };
  convert_detector(asset("demo.pth"), folder / "x.tflite", options);
  EXPECT_EQ(steps, (std::vector<std::string>{"writing", ""}));
}

TEST_F(Host, ModelsFromMemoryAndFromAnOpenFile) {
  const std::string file = read_text(folder / "d.tflite");
  const std::vector<float> expected = Detector(folder / "d.tflite", {host_context(), 1}).detect(photo).logits;
  const auto bytes = std::as_bytes(std::span(file));
  EXPECT_EQ(Detector(ModelSource::from_bytes(bytes), {host_context(), 1}).detect(photo).logits, expected);
  std::vector<std::byte> bare(bytes.begin(), bytes.end() - 64);  // without the zeros that may be read
  EXPECT_EQ(Detector(ModelSource::from_bytes(bare), {host_context(), 1}).detect(photo).logits, expected);
  std::FILE* open = std::fopen((folder / "d.tflite").c_str(), "rb");
  ASSERT_NE(open, nullptr);
  Detector detector(ModelSource::from_descriptor(::fileno(open)), {host_context(), 1});
  std::fclose(open);
  EXPECT_EQ(detector.detect(photo).logits, expected);
  std::vector<std::byte> broken(bytes.begin(), bytes.end());
  for (std::size_t i = 100; i < 200; ++i) broken[i] = std::byte{0xFF};
  expect_error(ErrorCode::kMalformed, {"my bytes"},
               [&] { Detector(ModelSource::from_bytes(broken, "my bytes"), {host_context(), 1}); });
  expect_error(ErrorCode::kMalformed, {"the model in memory"},
               [&] { Detector(ModelSource::from_bytes({}), {host_context(), 1}); });
  expect_error(ErrorCode::kNotFound, {"the open model file"},
               [&] { Detector(ModelSource::from_descriptor(-1), {host_context(), 1}); });
}

TEST_F(Host, ABatchGivesWhatEachAloneGives) {
  Context context = host_context();
  context.threads = 2;
  Detector detector(folder / "d.tflite", {context, 1});
  const Picture small{5, 7, std::vector<std::uint8_t>(105, 200)};
  const PixelView views[] = {photo, small, photo, small, small};
  const std::vector<Detection> found = detector.detect(views);
  ASSERT_EQ(found.size(), std::size(views));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i].logits, detector.detect(views[i]).logits) << i;
  EXPECT_TRUE(detector.detect(std::span<const PixelView>()).empty());
  const PixelView broken[] = {photo, PixelView{}};
  expect_error(ErrorCode::kUsage, {"picture 1"}, [&] { detector.detect(broken); });
}

// Every format carries the mark: what is written is read back.
TEST_F(Host, EveryPixelFormatIsMarkedAndRead) {
  Detector detector(folder / "d.tflite", {host_context(), 1});
  Embedder embedder(folder / "e.tflite", {host_context(), 1});
  const auto size = static_cast<std::size_t>(photo.width * photo.height);
  for (const auto format : {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra,
                            PixelFormat::kGrey, PixelFormat::kI420, PixelFormat::kNv12}) {
    std::vector<std::uint8_t> memory(size * 4, 128);
    MutablePixelView view;
    view.format = format;
    view.width = photo.width;
    view.height = photo.height;
    view.planes = {memory.data(), memory.data() + size, memory.data() + size + size / 4};
    for (std::size_t i = 0; i < size; ++i) {  // the photo's green, as every sample that is no chroma
      const std::uint8_t value = photo.rgb[3 * i + 1];
      const std::size_t samples = format == PixelFormat::kRgba || format == PixelFormat::kBgra ? 4
                                  : format == PixelFormat::kRgb || format == PixelFormat::kBgr ? 3
                                                                                               : 1;
      for (std::size_t c = 0; c < samples; ++c) memory[i * samples + c] = value;
    }
    embedder.embed(view, view, kMessage);
    EXPECT_GE(detector.match(detector.detect(view), kMessage).matches, 31U) << static_cast<int>(format);
  }
}

}  // namespace
}  // namespace sealite::host

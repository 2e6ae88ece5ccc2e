#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/scratch_folder.h"
#include "fixture_files.h"
#include "runtime/litert_library.h"
#include "sealite/sealite.h"

namespace sealite {

template <auto close>
struct Closer {
  template <typename Handle>
  void operator()(Handle* handle) const {
    close(handle);
  }
};

using ContextHandle = std::unique_ptr<sealite_context, Closer<sealite_context_close>>;
using DetectorHandle = std::unique_ptr<sealite_detector, Closer<sealite_detector_close>>;
using EmbedderHandle = std::unique_ptr<sealite_embedder, Closer<sealite_embedder_close>>;
using CandidatesHandle = std::unique_ptr<sealite_candidates, Closer<sealite_candidates_close>>;
using ReportHandle = std::unique_ptr<sealite_report, Closer<sealite_report_close>>;

/// A struct of C's, all zero but its size.
template <typename T>
T sized() {
  T value{};
  value.struct_size = sizeof(T);
  return value;
}

/// Whether a call succeeded; if not, what it said.
inline ::testing::AssertionResult succeeds(int code) {
  if (code == SEALITE_OK) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << sealite_error_name(code) << ": " << sealite_last_error();
}

/// Whether a call failed with `code` and a text that has `part` in it.
inline ::testing::AssertionResult fails(int found, sealite_error_code code, const std::string& part) {
  const std::string said = sealite_last_error();
  if (found == static_cast<int>(code) && said.find(part) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "code " << found << ", expected " << code << "; it says: " << said;
}

/// A context that finds LiteRT, with more if it is given.
inline ContextHandle open_context(sealite_context_options options = sized<sealite_context_options>()) {
  static const std::string library = runtime::litert_library();
  options.litert_library = library.c_str();
  sealite_context* context = nullptr;
  EXPECT_TRUE(succeeds(sealite_context_open(&options, &context)));
  return ContextHandle(context);
}

/// A smooth picture in RGB.
class Gradient {
 public:
  Gradient(std::int64_t width, std::int64_t height) : width_(width), height_(height) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        for (std::int64_t value : {40 + 150 * x / width, 60 + 120 * y / height, 100 + 50 * (x / 40 % 2)})
          rgb.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }

  sealite_pixels view() const {
    auto pixels = sized<sealite_pixels>();
    pixels.width = width_;
    pixels.height = height_;
    pixels.planes[0] = rgb.data();
    return pixels;
  }
  sealite_mutable_pixels mutable_view() {
    auto pixels = sized<sealite_mutable_pixels>();
    pixels.width = width_;
    pixels.height = height_;
    pixels.planes[0] = rgb.data();
    return pixels;
  }

  std::vector<std::uint8_t> rgb;

 private:
  std::int64_t width_;
  std::int64_t height_;
};

/// The demo checkpoint's two models, converted once for all tests of a suite.
class DemoModels : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<ScratchFolder>();
    auto options = sized<sealite_convert_options>();
    options.part = SEALITE_PART_BOTH;
    options.card = kCard;
    ASSERT_TRUE(succeeds(
        sealite_convert(nullptr, kCheckpoint, (*folder_ / "demo.tflite").c_str(), &options, nullptr)));
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string detector_path() { return *folder_ / "demo.detector.tflite"; }
  static std::string embedder_path() { return *folder_ / "demo.embedder.tflite"; }

  static DetectorHandle open_detector(const sealite_context* context) {
    sealite_detector* detector = nullptr;
    EXPECT_TRUE(succeeds(sealite_detector_open(context, detector_path().c_str(), nullptr, &detector)));
    return DetectorHandle(detector);
  }
  static EmbedderHandle open_embedder(const sealite_context* context) {
    sealite_embedder* embedder = nullptr;
    EXPECT_TRUE(succeeds(sealite_embedder_open(context, embedder_path().c_str(), nullptr, &embedder)));
    return EmbedderHandle(embedder);
  }

  static constexpr const char* kCheckpoint = SEALITE_SOURCE_DIR "/assets/demo.pth";
  static constexpr const char* kCard = SEALITE_SOURCE_DIR "/assets/demo.card.yaml";

 private:
  static inline std::unique_ptr<ScratchFolder> folder_;
};

}  // namespace sealite

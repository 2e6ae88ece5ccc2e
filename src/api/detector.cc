#include "sealite/detector.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "image/picture.h"
#include "tflite/reader.h"
#include "watermark/decide.h"
#include "watermark/detect.h"
#include "watermark/message.h"

namespace sealite {
namespace {

constexpr std::int64_t kUsualImageSize = 256;

// What our own metadata says; another converter's file has none.
std::int64_t image_size_of(const tflite::ModelInfo& info) {
  const auto text = info.metadata.find("sealite");
  if (text == info.metadata.end()) return kUsualImageSize;
  const auto json = nlohmann::json::parse(text->second, nullptr, false);
  if (!json.is_object() || !json.contains("image_size") || !json["image_size"].is_number_integer())
    return kUsualImageSize;
  const auto size = json["image_size"].get<std::int64_t>();
  return size >= 1 && size <= 1 << 14 ? size : kUsualImageSize;
}

runtime::CompiledModel compile(const std::filesystem::path& path, const tflite::ModelInfo& info,
                               const DetectorOptions& options) {
  const auto found = std::ranges::find(info.signatures, "detect", &tflite::ModelSignature::key);
  if (found == info.signatures.end()) {
    fail(ErrorCode::kMismatch, "'{}' has no signature 'detect': not a detector that sealite converted",
         path.string());
  }
  runtime::RunOptions run;
  run.threads = options.threads;
  run.library = options.litert_library;
  return runtime::CompiledModel(path, "detect", run);
}

}  // namespace

struct Detector::Impl {
  watermark::Detector detector;
};

Detector::Detector(const std::filesystem::path& model, const DetectorOptions& options) {
  const tflite::ModelInfo info = tflite::read_model(model);
  impl_ =
      std::make_unique<Impl>(Impl{watermark::Detector(compile(model, info, options), image_size_of(info))});
}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

namespace {

Detection read_message(std::vector<float> logits) {
  Detection detection;
  const watermark::Bits bits = watermark::bits_from_logits(logits);
  detection.message = watermark::to_hex(bits);
  detection.ones = static_cast<std::size_t>(std::ranges::count(bits, 1));
  detection.logits = std::move(logits);
  return detection;
}

}  // namespace

Detection Detector::detect_file(const std::filesystem::path& picture) {
  return read_message(impl_->detector.detect(image::read_picture(picture)));
}

Detection Detector::detect_pixels(std::span<const std::uint8_t> rgb, std::int64_t height,
                                  std::int64_t width) {
  const auto count = element_count({height, width, 3});
  if (height < 1 || width < 1 || count != rgb.size()) {
    fail(ErrorCode::kUsage, "{} bytes are no {}x{} RGB picture", rgb.size(), height, width);
  }
  return read_message(impl_->detector.detect(image::Picture{height, width, {rgb.begin(), rgb.end()}}));
}

MessageMatch Detector::match(const Detection& detection, const std::string& expected_hex) const {
  const watermark::Bits expected = watermark::from_hex(expected_hex, bits());
  const auto agreement = watermark::compare(watermark::bits_from_logits(detection.logits), expected);
  return {agreement.matches, agreement.bits, agreement.p_value, agreement.log10_p_value};
}

std::size_t Detector::bits() const {
  return impl_->detector.bits();
}

std::int64_t Detector::image_size() const {
  return impl_->detector.height();
}

bool Detector::fully_delegated() const {
  return impl_->detector.fully_delegated();
}

}  // namespace sealite

#include "sealite/detector.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "api/weight_cache_use.h"
#include "base/error.h"
#include "image/picture.h"
#include "model_file/reader.h"
#include "model_file/runnable_graph.h"
#include "watermark/candidates.h"
#include "watermark/decide.h"
#include "watermark/detect.h"
#include "watermark/detect_files.h"
#include "watermark/message.h"
#include "watermark/payload.h"

namespace sealite {
namespace {

/// The size that the model was made for, also where it leaves its size free.
std::int64_t checked_image_size(const std::filesystem::path& path,
                                const std::shared_ptr<const model_file::ModelFile>& file) {
  const model_file::ModelInfo info = model_file::read_model(*file);
  const auto found = std::ranges::find(info.signatures, "detect", &model_file::ModelSignature::key);
  if (found == info.signatures.end()) {
    fail(ErrorCode::kMismatch, "'{}' has no signature 'detect': not a detector that sealite converted",
         path.string());
  }
  const graph::Graph graph = model_file::read_runnable_graph(file, "detect");
  const Shape& image = graph.shape(graph.inputs[0]);
  if (image.size() != 4 || image[0] != 1)
    fail(ErrorCode::kMismatch, "'{}' is not a detector: its input is {}", path.string(), to_string(image));
  return image[2];
}

runtime::CompiledModel compile(const model_file::ModelFile& file, const DetectorOptions& options) {
  runtime::RunOptions run;
  run.threads = options.threads;
  run.library = options.litert_library;
  run.use_cache = options.use_cache;
  run.cache_folder = options.cache_folder;
  run.quiet = options.quiet;
  return runtime::CompiledModel(model_file::mapped_bytes(file), "detect", run);
}

}  // namespace

struct Detector::Impl {
  watermark::Detector detector;
  image::ReadLimits limits;
};

Detector::Detector(const std::filesystem::path& model, const DetectorOptions& options) {
  const auto file = model_file::open_model(model);
  const std::int64_t size = checked_image_size(model, file);
  impl_ =
      std::make_unique<Impl>(Impl{watermark::Detector(compile(*file, options), size), {options.max_pixels}});
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

MessageMatch to_match(const watermark::Agreement& agreement) {
  return {agreement.matches, agreement.bits, agreement.p_value, agreement.log10_p_value};
}

}  // namespace

Detection Detector::detect_file(const std::filesystem::path& picture) {
  return read_message(impl_->detector.detect(image::read_picture(picture, impl_->limits)));
}

void Detector::detect_files(std::span<const std::filesystem::path> pictures, int readers,
                            const std::function<void(std::size_t index, PictureDetection found)>& each) {
  if (readers < 1) fail(ErrorCode::kUsage, "{} readers, expected 1 or more", readers);
  watermark::detect_files(impl_->detector, pictures, readers, impl_->limits,
                          [&](std::size_t index, watermark::PictureLogits found) {
                            PictureDetection one;
                            if (!found.error) one.detection = read_message(std::move(found.logits));
                            one.error = std::move(found.error);
                            one.seconds = found.seconds;
                            each(index, std::move(one));
                          });
}

Detection Detector::detect_pixels(std::span<const std::uint8_t> rgb, std::int64_t height,
                                  std::int64_t width) {
  const auto count = element_count({height, width, 3});
  if (height < 1 || width < 1 || count != rgb.size()) {
    fail(ErrorCode::kUsage, "{} bytes are no {}x{} RGB picture", rgb.size(), height, width);
  }
  return read_message(impl_->detector.detect(pixels::Picture{height, width, {rgb.begin(), rgb.end()}}));
}

MessageMatch Detector::match(const Detection& detection, const std::string& expected,
                             const std::string& key) const {
  const watermark::Bits message = watermark::parse_message(expected, watermark::PayloadCodec(bits(), key));
  return to_match(watermark::compare(watermark::bits_from_logits(detection.logits), message));
}

std::optional<DecodedPayload> Detector::decode(const Detection& detection, const std::string& key) const {
  const auto found = watermark::PayloadCodec(bits(), key).decode(detection.logits);
  if (!found) return std::nullopt;
  DecodedPayload payload;
  payload.kind = found->payload.kind == watermark::PayloadKind::kId ? PayloadKind::kId : PayloadKind::kText;
  payload.id = found->payload.id;
  payload.text = found->payload.text;
  payload.version = found->version;
  payload.corrected_bits = found->corrected_bits;
  payload.log10_false_positive = found->log10_false_positive;
  payload.false_positive = std::pow(10.0, found->log10_false_positive);
  return payload;
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

WeightCacheUse Detector::cache_use() const {
  return to_public(impl_->detector.cache_use());
}

struct Candidates::Impl {
  watermark::Candidates list;
};

Candidates::Candidates(const std::filesystem::path& file, std::size_t bits, const std::string& key)
    : impl_(std::make_unique<Impl>(Impl{watermark::Candidates(file, watermark::PayloadCodec(bits, key))})) {}

Candidates::~Candidates() = default;
Candidates::Candidates(Candidates&&) noexcept = default;
Candidates& Candidates::operator=(Candidates&&) noexcept = default;

std::size_t Candidates::size() const {
  return impl_->list.size();
}

namespace {

CandidateLine to_public(watermark::CandidateLine line) {
  return {line.line, std::move(line.label)};
}

}  // namespace

std::vector<RepeatedCandidate> Candidates::repeats() const {
  std::vector<RepeatedCandidate> list;
  for (watermark::RepeatedCandidate& each : impl_->list.repeats())
    list.push_back({to_public(std::move(each.first)), to_public(std::move(each.again))});
  return list;
}

CandidateMatch Candidates::best(const Detection& detection) const {
  watermark::CandidateMatch found = impl_->list.best(watermark::bits_from_logits(detection.logits));
  CandidateMatch best{to_match(found.agreement),
                      watermark::to_hex(found.message),
                      found.label,
                      found.line,
                      found.candidates,
                      found.p_value,
                      found.log10_p_value,
                      {}};
  for (watermark::CandidateLine& line : found.also) best.also.push_back(to_public(std::move(line)));
  return best;
}

}  // namespace sealite

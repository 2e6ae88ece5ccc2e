#include "sealite/detector.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/image_shape.h"
#include "base/one_call.h"
#include "model_file/reader.h"
#include "model_file/runnable_graph.h"
#include "watermark/decide.h"
#include "watermark/detect_stream.h"
#include "watermark/detector_access.h"
#include "watermark/message.h"
#include "watermark/payload.h"

namespace sealite {
namespace {

/// The size that the model was made for, also where it leaves its size free.
std::int64_t checked_image_size(const std::shared_ptr<const model_file::ModelFile>& file) {
  const std::string name = model_file::name_of(*file);
  const model_file::ModelInfo info = model_file::read_model(*file);
  const auto found = std::ranges::find(info.signatures, "detect", &model_file::ModelSignature::key);
  if (found == info.signatures.end())
    fail(ErrorCode::kMismatch, "'{}' has no signature 'detect': not a detector that sealite converted", name);
  const graph::Graph graph = model_file::read_runnable_graph(file, "detect");
  const Shape& image = graph.shape(graph.inputs[0]);
  const std::optional<ImageLayout> layout = layout_of_input(image);
  if (!layout || image[0] != 1)
    fail(ErrorCode::kMismatch, "'{}' is not a detector: its input is {}", name, to_string(image));
  return image[image_axes(*layout).height];
}

watermark::DetectorModel load(const ModelSource& source, const DetectorOptions& options, std::string& name) {
  const auto file = model_file::open_model(source);
  name = model_file::name_of(*file);
  const std::int64_t size = checked_image_size(file);
  runtime::RunOptions run = runtime::run_options_of_host();
  if (options.inference_threads > 0) run.threads = options.inference_threads;
  return {runtime::CompiledModel(model_file::mapped_bytes(*file), "detect", run), size};
}

}  // namespace

Detection read_message(std::vector<float> logits) {
  Detection detection;
  const watermark::Bits bits = watermark::bits_from_logits(logits);
  detection.message = watermark::to_hex(bits);
  detection.ones = static_cast<std::size_t>(std::ranges::count(bits, 1));
  detection.logits = std::move(logits);
  return detection;
}

Detector::Detector(const ModelSource& model, const DetectorOptions& options) {
  const InContext scope(options.context);
  std::string name;
  watermark::DetectorModel loaded = load(model, options, name);
  impl_ = std::make_unique<Impl>(options.context, std::move(loaded), std::move(name));
}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

Detection Detector::detect(const PixelView& picture) {
  const OneCall call(impl_->busy, "detector");
  const InContext scope(impl_->context);
  return read_message(impl_->model.detect(picture));
}

std::vector<Detection> Detector::detect(std::span<const PixelView> pictures) {
  const OneCall call(impl_->busy, "detector");
  const InContext scope(impl_->context);
  std::vector<Detection> found;
  watermark::detect_stream(
      impl_->model, pictures.size(), static_cast<std::size_t>(std::max(1, impl_->context.threads)),
      [&](std::size_t index) {
        return pixels::resize_antialiased(pictures[index], impl_->model.height(), impl_->model.width());
      },
      [&](std::size_t index, watermark::StreamedPicture one) {
        if (one.error)
          throw Error(one.error->code(), fmt::format("picture {}: {}", index, one.error->what()));
        found.push_back(read_message(std::move(one.logits)));
      });
  return found;
}

MessageMatch Detector::match(const Detection& detection, const std::string& expected,
                             const std::string& key) const {
  const watermark::Bits message = watermark::parse_message(expected, watermark::PayloadCodec(bits(), key));
  return watermark::compare(watermark::bits_from_logits(detection.logits), message);
}

std::optional<DecodedPayload> Detector::decode(const Detection& detection, const std::string& key) const {
  return watermark::PayloadCodec(bits(), key).decode(detection.logits);
}

std::size_t Detector::bits() const {
  return impl_->model.bits();
}

std::int64_t Detector::image_size() const {
  return impl_->model.height();
}

bool Detector::fully_delegated() const {
  return impl_->model.fully_delegated();
}

WeightCacheUse Detector::cache_use() const {
  return impl_->model.cache_use();
}

const Context& Detector::context() const {
  return impl_->context;
}

}  // namespace sealite

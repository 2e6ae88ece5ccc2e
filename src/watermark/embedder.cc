#include "sealite/embedder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/one_call.h"
#include "model_file/metadata.h"
#include "model_file/runnable_graph.h"
#include "pixels/rgb_rows.h"
#include "pixels/similarity.h"
#include "watermark/mark.h"

namespace sealite {
namespace {

void check_signature(const std::string& name, const model_file::ModelInfo& info) {
  const auto has = [&](std::string_view key) {
    return std::ranges::find(info.signatures, key, &model_file::ModelSignature::key) != info.signatures.end();
  };
  if (has("embed")) return;
  fail(ErrorCode::kMismatch,
       "'{}' has no signature 'embed': {}; make one with sealite convert --part embedder", name,
       has("detect") ? "it is a detector, not an embedder" : "not an embedder that sealite converted");
}

model_file::EmbeddingFacts read_facts(const model_file::ModelInfo& info) {
  const auto metadata = model_file::read_metadata(info);
  if (!metadata || !metadata->embedding) {
    fail(ErrorCode::kMismatch,
         "its metadata does not say how the watermark is put into a picture ('attenuation', 'scaling_w', "
         "'scaling_i'): convert with sealite");
  }
  return *metadata->embedding;
}

void check_options(const EmbedOptions& options) {
  if (!(options.strength >= 0 && options.strength <= 100))
    fail(ErrorCode::kUsage, "strength {} is not 0 to 100", options.strength);
}

void check_views(const PixelView& picture, const PixelView& marked) {
  pixels::check_view(picture);
  pixels::check_view(marked);
  if (picture.format != marked.format || picture.width != marked.width || picture.height != marked.height) {
    fail(ErrorCode::kUsage, "a picture of {} x {} pixels is marked into one of {} x {} or of another format",
         picture.width, picture.height, marked.width, marked.height);
  }
}

}  // namespace

struct Embedder::Impl {
  Impl(Context host, watermark::EmbedderModel loaded, model_file::EmbeddingFacts claims,
       watermark::Marking how, std::string path)
      : context(std::move(host)),
        model(std::move(loaded)),
        facts(std::move(claims)),
        marking(how),
        name(std::move(path)) {}

  Context context;
  watermark::EmbedderModel model;
  model_file::EmbeddingFacts facts;
  watermark::Marking marking;
  std::string name;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

Embedder::Embedder(const ModelSource& model, const EmbedderOptions& options) {
  const InContext scope(options.context);
  const auto file = model_file::open_model(model);
  const std::string name = model_file::name_of(*file);
  const model_file::ModelInfo info = model_file::read_model(*file);
  check_signature(name, info);
  model_file::read_runnable_graph(file, "embed");
  runtime::RunOptions run = runtime::run_options_of_host();
  if (options.inference_threads > 0) run.threads = options.inference_threads;
  run.tables_per_run = true;
  add_context(fmt::format("'{}'", name), [&] {
    model_file::EmbeddingFacts facts = read_facts(info);
    const watermark::Marking marking = watermark::marking_of(facts);
    watermark::EmbedderModel loaded(runtime::CompiledModel(model_file::mapped_bytes(*file), "embed", run));
    impl_ = std::make_unique<Impl>(options.context, std::move(loaded), std::move(facts), marking, name);
  });
}

Embedder::~Embedder() = default;
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder&&) noexcept = default;

EmbedReport Embedder::embed(const PixelView& picture, const MutablePixelView& marked,
                            const std::string& message, const EmbedOptions& options) {
  const OneCall call(impl_->busy, "embedder");
  const InContext scope(impl_->context);
  check_options(options);
  check_views(picture, marked);
  const watermark::Bits bits = watermark::from_hex(message, impl_->model.bits());
  watermark::Marking marking = impl_->marking;
  marking.scaling_w *= options.strength;
  marking.lowres = options.attenuation == EmbedAttenuation::kLowres;
  if (options.attenuation == EmbedAttenuation::kNone) marking.jnd.reset();
  if (options.metrics && picture.planes[0] == marked.planes[0])
    fail(ErrorCode::kUsage, "metrics need the picture as it was: mark it into another one");
  watermark::mark(impl_->model, picture, bits, marking, marked);
  EmbedReport report;
  report.message = watermark::to_hex(bits);
  report.width = picture.width;
  report.height = picture.height;
  if (!options.metrics) return report;
  const pixels::Similarity similarity = pixels::compare(picture, marked);
  report.psnr = similarity.psnr;
  report.ssim = similarity.ssim;
  return report;
}

std::size_t Embedder::bits() const {
  return impl_->model.bits();
}

std::int64_t Embedder::image_size() const {
  return impl_->model.height();
}

std::string Embedder::attenuation() const {
  return impl_->facts.attenuation;
}

bool Embedder::fully_delegated() const {
  return impl_->model.fully_delegated();
}

WeightCacheUse Embedder::cache_use() const {
  return impl_->model.cache_use();
}

std::string Embedder::name() const {
  return impl_->name;
}

const Context& Embedder::context() const {
  return impl_->context;
}

}  // namespace sealite

#include "sealite/embedder.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "api/weight_cache_use.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "image/encode.h"
#include "image/picture.h"
#include "model_file/reader.h"
#include "model_file/runnable_graph.h"
#include "pixels/similarity.h"
#include "watermark/blend.h"
#include "watermark/embed.h"

namespace sealite {

// What the model's card says about putting the delta into a picture.
struct CardFacts {
  std::string attenuation;
  std::optional<pixels::JndVariant> jnd;
  double scaling_w = 1;
  double scaling_i = 1;
};

namespace {

void check_signature(const std::filesystem::path& path, const model_file::ModelInfo& info) {
  const auto has = [&](std::string_view key) {
    return std::ranges::find(info.signatures, key, &model_file::ModelSignature::key) != info.signatures.end();
  };
  if (has("embed")) return;
  fail(ErrorCode::kMismatch,
       "'{}' has no signature 'embed': {}; make one with sealite convert --part embedder", path.string(),
       has("detect") ? "it is a detector, not an embedder" : "not an embedder that sealite converted");
}

double finite_number(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  const double value = found != json.end() && found->is_number() ? found->get<double>() : NAN;
  if (!std::isfinite(value)) fail(ErrorCode::kMismatch, "its metadata has no number '{}'", key);
  return value;
}

CardFacts read_facts(const model_file::ModelInfo& info) {
  const auto text = info.metadata.find("sealite");
  if (text == info.metadata.end()) {
    fail(ErrorCode::kMismatch,
         "it has no metadata 'sealite', which says the watermark's strength: convert with sealite");
  }
  const auto json = nlohmann::json::parse(text->second, nullptr, false);
  if (!json.is_object()) fail(ErrorCode::kMismatch, "its metadata 'sealite' is no JSON object");
  CardFacts facts;
  const auto attenuation = json.find("attenuation");
  if (attenuation == json.end() || !attenuation->is_string())
    fail(ErrorCode::kMismatch, "its metadata has no text 'attenuation'");
  facts.attenuation = attenuation->get<std::string>();
  facts.jnd = watermark::parse_attenuation(facts.attenuation);
  facts.scaling_w = finite_number(json, "scaling_w");
  facts.scaling_i = finite_number(json, "scaling_i");
  return facts;
}

void check_options(const EmbedOptions& options) {
  if (!(options.strength >= 0 && options.strength <= 100))
    fail(ErrorCode::kUsage, "strength {} is not 0 to 100", options.strength);
  if (options.quality < 1 || options.quality > 100)
    fail(ErrorCode::kUsage, "quality {} is not 1 to 100", options.quality);
}

// Even so the input would be read to its end first, but nobody means to lose it.
void check_other_file(const std::filesystem::path& output, const std::filesystem::path& other,
                      const char* what) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, other, ignored))
    fail(ErrorCode::kUsage, "'{}' is the {} itself; write to another file", output.string(), what);
}

std::vector<std::string> losses(const image::SourcePicture& source, const std::filesystem::path& input,
                                image::FileFormat format) {
  std::vector<std::string> warnings;
  const auto add = [&](std::string text) {
    warnings.push_back(fmt::format("'{}': {}", input.string(), text));
  };
  if (source.bits > 8) add(fmt::format("{} bits per sample are written as 8", source.bits));
  if (source.colours != "RGB") add(fmt::format("{} is written as RGB", source.colours));
  if (source.pages > 1) add(fmt::format("of {} pages or frames only the first is written", source.pages));
  if (!source.alpha.empty() && !image::keeps_alpha(format))
    add("the alpha channel is left out: JPEG has none");
  if (format == image::FileFormat::kTiff &&
      !image::metadata_block(*source.metadata, image::MetadataBlock::kExif).empty())
    add("EXIF is left out of TIFF files");
  return warnings;
}

}  // namespace

struct Embedder::Impl {
  watermark::Embedder embedder;
  CardFacts facts;
  std::filesystem::path model;
  image::ReadLimits limits;

  pixels::Picture mark(const pixels::Picture& picture, const watermark::Bits& message,
                       const EmbedOptions& options);
  EmbedReport report(const pixels::Picture& original, const pixels::Picture& marked,
                     const watermark::Bits& message) const;
};

pixels::Picture Embedder::Impl::mark(const pixels::Picture& picture, const watermark::Bits& message,
                                     const EmbedOptions& options) {
  const pixels::Planes resized = pixels::resize_antialiased(picture, embedder.height(), embedder.width());
  const pixels::Planes delta = embedder.delta(resized, message);
  std::optional<watermark::Attenuation> attenuation;
  if (facts.jnd && options.attenuation != EmbedAttenuation::kNone)
    attenuation = {*facts.jnd, options.attenuation == EmbedAttenuation::kLowres};
  const watermark::Residual residual(picture, delta, resized, attenuation);
  watermark::BlendOptions blend;
  blend.scaling_i = static_cast<float>(facts.scaling_i);
  blend.scaling_w = static_cast<float>(options.strength * facts.scaling_w);
  return watermark::blend(picture, residual, blend);
}

EmbedReport Embedder::Impl::report(const pixels::Picture& original, const pixels::Picture& marked,
                                   const watermark::Bits& message) const {
  const pixels::Similarity similarity = pixels::compare(original, marked);
  EmbedReport report;
  report.message = watermark::to_hex(message);
  report.psnr = similarity.psnr;
  report.ssim = similarity.ssim;
  report.width = original.width;
  report.height = original.height;
  return report;
}

Embedder::Embedder(const std::filesystem::path& model, const EmbedderOptions& options) {
  const auto file = model_file::open_model(model);
  const model_file::ModelInfo info = model_file::read_model(*file);
  check_signature(model, info);
  model_file::read_runnable_graph(file, "embed");
  runtime::RunOptions run;
  run.threads = options.threads;
  run.library = options.litert_library;
  run.use_cache = options.use_cache;
  run.cache_folder = options.cache_folder;
  run.quiet = options.quiet;
  run.tables_per_run = true;
  impl_ = add_context(fmt::format("'{}'", model.string()), [&] {
    CardFacts facts = read_facts(info);
    return std::make_unique<Impl>(
        Impl{watermark::Embedder(runtime::CompiledModel(model_file::mapped_bytes(*file), "embed", run)),
             std::move(facts),
             model,
             {options.max_pixels}});
  });
}

Embedder::~Embedder() = default;
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder&&) noexcept = default;

EmbedReport Embedder::embed_file(const std::filesystem::path& input, const std::filesystem::path& output,
                                 const std::string& message, const EmbedOptions& options) {
  check_options(options);
  const watermark::Bits bits = watermark::from_hex(message, impl_->embedder.bits());
  image::EncodeOptions encode;
  encode.format = image::format_of(output);
  encode.quality = options.quality;
  check_other_file(output, input, "input");
  check_other_file(output, impl_->model, "model");
  AtomicFile file(output);  // an output that cannot be written is known before the work
  image::SourcePicture source = image::read_source(input, impl_->limits);
  image::check_fits(encode.format, source.picture.height, source.picture.width);
  const pixels::Picture marked = impl_->mark(source.picture, bits, options);
  EmbedReport report = impl_->report(source.picture, marked, bits);
  report.warnings = losses(source, input, encode.format);
  source.picture = {};  // encoders may need the memory
  encode.alpha = source.alpha;
  encode.metadata = source.metadata.get();
  report.bytes = image::encode_picture(marked, encode, file);
  file.commit();
  return report;
}

EmbeddedPixels Embedder::embed_pixels(std::span<const std::uint8_t> rgb, std::int64_t height,
                                      std::int64_t width, const std::string& message,
                                      const EmbedOptions& options) {
  check_options(options);
  const watermark::Bits bits = watermark::from_hex(message, impl_->embedder.bits());
  const auto count = element_count({height, width, 3});
  if (height < 1 || width < 1 || count != rgb.size()) {
    fail(ErrorCode::kUsage, "{} bytes are no {}x{} RGB picture", rgb.size(), height, width);
  }
  const pixels::Picture picture{height, width, {rgb.begin(), rgb.end()}};
  pixels::Picture marked = impl_->mark(picture, bits, options);
  EmbedReport report = impl_->report(picture, marked, bits);
  return {std::move(marked.rgb), std::move(report)};
}

std::size_t Embedder::bits() const {
  return impl_->embedder.bits();
}

std::int64_t Embedder::image_size() const {
  return impl_->embedder.height();
}

std::string Embedder::attenuation() const {
  return impl_->facts.attenuation;
}

bool Embedder::fully_delegated() const {
  return impl_->embedder.fully_delegated();
}

WeightCacheUse Embedder::cache_use() const {
  return to_public(impl_->embedder.cache_use());
}

}  // namespace sealite

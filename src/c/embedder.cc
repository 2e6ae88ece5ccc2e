#include "sealite/embedder.h"

#include <limits>

#include "c/guard.h"
#include "c/handles.h"
#include "c/model.h"
#include "c/views.h"

namespace sealite::c {
namespace {

int open_embedder(const sealite_context* context, const sealite_model_options* options,
                  sealite_embedder** embedder, const SourceMaker& source) noexcept {
  return guarded([&] {
    open_handle(embedder, "embedder", [&] {
      const sealite_model_options given = known_options(options, "options");
      const EmbedderOptions own{context_of(context), number_of(given.inference_threads, "inference_threads")};
      return sealite_embedder{Embedder(source(), own)};
    });
  });
}

EmbedOptions embed_options(const sealite_embed_options& given) {
  EmbedOptions options;
  if (given.strength != 0) options.strength = given.strength;
  options.attenuation = choice_of<EmbedAttenuation>(given.attenuation, 3, "attenuation");
  options.metrics = given.metrics != 0;
  return options;
}

}  // namespace
}  // namespace sealite::c

using namespace sealite::c;

int sealite_embedder_open(const sealite_context* context, const char* path,
                          const sealite_model_options* options, sealite_embedder** embedder) {
  return open_embedder(context, options, embedder, [&] { return source_of(path); });
}

int sealite_embedder_open_bytes(const sealite_context* context, const void* bytes, size_t size,
                                const sealite_model_options* options, sealite_embedder** embedder) {
  return open_embedder(context, options, embedder, [&] { return source_of(bytes, size); });
}

int sealite_embedder_open_fd(const sealite_context* context, int descriptor,
                             const sealite_model_options* options, sealite_embedder** embedder) {
  return open_embedder(context, options, embedder,
                       [&] { return sealite::ModelSource::from_descriptor(descriptor); });
}

void sealite_embedder_close(sealite_embedder* embedder) {
  close_handle(embedder);
}

int sealite_embedder_info(const sealite_embedder* embedder, sealite_model_info* info) {
  return guarded([&] {
    require(embedder, "embedder");
    put_info(embedder->embedder, info);
  });
}

int sealite_embed(sealite_embedder* embedder, const sealite_pixels* picture,
                  const sealite_mutable_pixels* marked, const char* message,
                  const sealite_embed_options* options, sealite_embed_report* report) {
  return guarded([&] {
    require(embedder, "embedder");
    sealite_embed_report own = known_options(report, "report");
    const sealite::EmbedReport found = embedder->embedder.embed(
        view_of(picture, "picture"), view_of(marked, "marked"), required_text(message, "message"),
        embed_options(known_options(options, "options")));
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    own.psnr = found.psnr.value_or(kNone);
    own.ssim = found.ssim.value_or(kNone);
    if (report != nullptr) put_known(own, report);
  });
}

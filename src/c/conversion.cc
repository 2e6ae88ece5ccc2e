#include "conversion/conversion.h"

#include "c/guard.h"
#include "c/handles.h"
#include "c/views.h"
#include "sealite/inspect.h"
#include "sealite/json.h"
#include "verify/verify.h"

namespace sealite::c {
namespace {

ConvertOptions convert_options(const sealite_context* context, const sealite_convert_options& given,
                               const NamedPixels& pictures) {
  ConvertOptions options;
  options.part = choice_of<Part>(given.part, 3, "part");
  options.layout = choice_of<ImageLayout>(given.layout, 2, "layout");
  options.dynamic = given.dynamic != 0;
  options.gptq = given.gptq != 0;
  options.layer_errors = given.layer_errors != 0;
  options.allow_non_finite = given.allow_non_finite != 0;
  options.replace_others = given.keep_others == 0;
  options.sync = given.sync != 0;
  options.image_size = given.image_size;
  options.card = text_of(given.card);
  if (given.quantize != nullptr) options.quantize = given.quantize;
  options.model_name = text_of(given.model_name);
  for (const char* const rule : array_of(given.keep, given.keep_count, "keep"))
    options.keep.push_back(required_text(rule, "keep"));
  options.calibrate = pictures.names();
  options.context = context_of(context);
  return options;
}

VerifyOptions verify_options(const sealite_context* context, const sealite_verify_options& given,
                             const NamedPixels& pictures) {
  VerifyOptions options;
  options.checkpoint = text_of(given.checkpoint);
  options.card = text_of(given.card);
  options.reference = text_of(given.reference);
  options.weight_cache = text_of(given.weight_cache);
  options.images = pictures.names();
  if (given.runs != 0) options.runs = number_of(given.runs, "runs");
  options.threads = number_of(given.threads, "threads");
  options.context = context_of(context);
  return options;
}

// A report that nobody takes is not made.
void put_report(sealite_report** report, const auto& json) {
  if (report != nullptr) open_handle(report, "report", [&] { return sealite_report{json()}; });
}

using Converter = decltype(&conversion::convert);

int convert_with(Converter convert, const sealite_context* context, const char* checkpoint,
                 const char* output, const sealite_convert_options* options,
                 sealite_report** report) noexcept {
  return guarded([&] {
    if (report != nullptr) *report = nullptr;
    const sealite_convert_options given = known_options(options, "options");
    const NamedPixels pictures(views_of(given.calibrate, given.calibrate_count, "calibrate"));
    const ConvertOptions own = convert_options(context, given, pictures);
    const auto made = convert(required_text(checkpoint, "checkpoint"), required_text(output, "output"), own,
                              pictures.reader());
    put_report(report, [&] { return to_json(made); });
  });
}

}  // namespace
}  // namespace sealite::c

using namespace sealite::c;

int sealite_convert(const sealite_context* context, const char* checkpoint, const char* output,
                    const sealite_convert_options* options, sealite_report** report) {
  return convert_with(&sealite::conversion::convert, context, checkpoint, output, options, report);
}

int sealite_convert_into(const sealite_context* context, const char* checkpoint, const char* folder,
                         const sealite_convert_options* options, sealite_report** report) {
  return convert_with(&sealite::conversion::convert_into, context, checkpoint, folder, options, report);
}

int sealite_inspect(const sealite_context* context, const char* path, int32_t tensors,
                    sealite_report** report) {
  return guarded([&] {
    open_handle(report, "report", [&] {
      const std::string file = required_text(path, "path");
      const sealite::Context own = context_of(context);
      const sealite::InspectedTensors listed =
          tensors != 0 ? sealite::InspectedTensors::kListed : sealite::InspectedTensors::kLeftOut;
      if (sealite::is_model_file(file))
        return sealite_report{to_json(sealite::inspect_model(file, own), file, listed)};
      return sealite_report{to_json(sealite::inspect_checkpoint(file, own), file, listed)};
    });
  });
}

int sealite_verify(const sealite_context* context, const char* model, const sealite_verify_options* options,
                   int32_t* verdict, sealite_report** report) {
  return guarded([&] {
    if (report != nullptr) *report = nullptr;
    const sealite_verify_options given = known_options(options, "options");
    const NamedPixels pictures(views_of(given.images, given.images_count, "images"));
    const sealite::VerifyOptions own = verify_options(context, given, pictures);
    const sealite::VerifyReport found =
        sealite::verify::examine_model(required_text(model, "model"), own, pictures.reader());
    put_report(report, [&] { return to_json(found); });
    if (verdict != nullptr) *verdict = static_cast<std::int32_t>(found.verdict);
  });
}

int sealite_report_json(const sealite_report* report, char* buffer, size_t capacity, size_t* needed) {
  return guarded([&] {
    require(report, "report");
    put_text(report->json, buffer, capacity, needed);
  });
}

void sealite_report_close(sealite_report* report) {
  close_handle(report);
}

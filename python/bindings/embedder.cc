#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "bindings/host.h"
#include "bindings/model_bytes.h"
#include "bindings/module.h"
#include "bindings/pixels_view.h"
#include "sealite/embedder.h"
#include "sealite/files.h"
#include "sealite/message.h"

namespace sealite::python {
namespace {

nb::dict embed_fields(const EmbedReport& report) {
  nb::dict fields;
  fields["message"] = report.message;
  fields["psnr"] = report.psnr ? nb::cast(*report.psnr) : nb::none();
  fields["ssim"] = report.ssim ? nb::cast(*report.ssim) : nb::none();
  fields["width"] = report.width;
  fields["height"] = report.height;
  return fields;
}

EmbedAttenuation attenuation_named(const std::string& name) {
  if (name == "card") return EmbedAttenuation::kCard;
  if (name == "none") return EmbedAttenuation::kNone;
  if (name == "lowres") return EmbedAttenuation::kLowres;
  fail(ErrorCode::kUsage, "attenuation '{}'; expected card, none or lowres", name);
}

/// An `Embedder` with what it refers to.
class KeptEmbedder {
 public:
  KeptEmbedder(Host& host, const nb::object& model, int inference_threads) : host_(host), model_(model) {
    host.run([&] { embedder_.emplace(model_.source(), EmbedderOptions{host.context(), inference_threads}); });
  }

  nb::dict embed(const PixelArray& picture, const MutablePixelArray& marked, const std::string& message,
                 double strength, const std::string& attenuation, bool metrics) {
    const PixelView from = view_of(picture);
    const MutablePixelView into = mutable_view_of(marked);
    const EmbedOptions options{strength, attenuation_named(attenuation), metrics};
    return embed_fields(host_.run([&] { return embedder_->embed(from, into, message, options); }));
  }

  nb::dict embed_path(const std::filesystem::path& input, const std::filesystem::path& output,
                      const std::string& message, double strength, const std::string& attenuation,
                      bool metrics, int quality, std::uint64_t max_pixels) {
    const EmbedFileOptions options{
        {max_pixels}, {strength, attenuation_named(attenuation), metrics}, quality};
    const EmbedFileReport report =
        host_.run([&] { return embed_file(*embedder_, input, output, message, options); });
    nb::dict fields = embed_fields(report.embedded);
    fields["bytes"] = report.bytes;
    nb::list warnings;
    for (const std::string& warning : report.warnings) warnings.append(text_of(warning));
    fields["warnings"] = nb::tuple(warnings);
    return fields;
  }

  std::size_t bits() const { return embedder_->bits(); }
  std::int64_t image_size() const { return embedder_->image_size(); }
  std::string attenuation() const { return embedder_->attenuation(); }
  bool fully_delegated() const { return embedder_->fully_delegated(); }
  const char* cache() const { return cache_name(embedder_->cache_use()); }

 private:
  Host& host_;
  KeptModel model_;
  std::optional<Embedder> embedder_;
};

nb::tuple capacity_of(std::size_t bits) {
  const PayloadCapacity capacity = payload_capacity(bits);
  return nb::make_tuple(capacity.id_bits, capacity.text_bytes);
}

}  // namespace

void bind_embedder(nb::module_& module) {
  nb::class_<KeptEmbedder>(module, "Embedder")
      .def(nb::init<Host&, const nb::object&, int>(), nb::keep_alive<1, 2>(), nb::arg("host"),
           nb::arg("model"), nb::arg("inference_threads"))
      .def("embed", &KeptEmbedder::embed, nb::arg("picture").noconvert(), nb::arg("marked").noconvert(),
           nb::arg("message"), nb::arg("strength"), nb::arg("attenuation"), nb::arg("metrics"))
      .def("embed_path", &KeptEmbedder::embed_path, nb::arg("input"), nb::arg("output"), nb::arg("message"),
           nb::arg("strength"), nb::arg("attenuation"), nb::arg("metrics"), nb::arg("quality"),
           nb::arg("max_pixels"))
      .def_prop_ro("bits", &KeptEmbedder::bits)
      .def_prop_ro("image_size", &KeptEmbedder::image_size)
      .def_prop_ro("attenuation", &KeptEmbedder::attenuation)
      .def_prop_ro("fully_delegated", &KeptEmbedder::fully_delegated)
      .def_prop_ro("cache", &KeptEmbedder::cache);
  module.def("message_hex", &message_hex, nb::arg("words"), nb::arg("bits"), nb::arg("key"));
  module.def("random_message_hex", &random_message_hex, nb::arg("bits"));
  module.def("payload_capacity", &capacity_of, nb::arg("bits"));
}

}  // namespace sealite::python

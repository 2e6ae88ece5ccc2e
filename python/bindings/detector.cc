#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bindings/host.h"
#include "bindings/model_bytes.h"
#include "bindings/module.h"
#include "bindings/pixels_view.h"
#include "sealite/detector.h"
#include "sealite/files.h"
#include "sealite/picture_verdict.h"

namespace sealite::python {
namespace {

nb::tuple as_tuple(const Detection& found) {
  return nb::make_tuple(found.message, found.ones, nb::tuple(nb::cast(found.logits)));
}

Detection from_tuple(const nb::tuple& found) {
  Detection detection;
  detection.message = nb::cast<std::string>(found[0]);
  detection.ones = nb::cast<std::size_t>(found[1]);
  detection.logits = nb::cast<std::vector<float>>(found[2]);
  return detection;
}

/// A `Detector` with what it refers to.
class KeptDetector {
 public:
  KeptDetector(Host& host, const nb::object& model, int inference_threads) : host_(host), model_(model) {
    host.run([&] { detector_.emplace(model_.source(), DetectorOptions{host.context(), inference_threads}); });
  }

  nb::list detect(const std::vector<PixelArray>& pictures) {
    std::vector<PixelView> views;
    views.reserve(pictures.size());
    for (const PixelArray& picture : pictures) views.push_back(view_of(picture));
    nb::list found;
    for (const Detection& one : host_.run([&] { return detector_->detect(views); }))
      found.append(as_tuple(one));
    return found;
  }

  nb::tuple detect_bytes(const nb::bytes& file, std::uint64_t max_pixels) {
    const std::span bytes(static_cast<const std::byte*>(file.data()), file.size());
    return as_tuple(host_.run([&] {
      const Picture picture = decode_picture(bytes, {max_pixels}, detector_->context());
      return detector_->detect(picture.view());
    }));
  }

  /// A tuple or an exception for each.
  nb::list detect_paths(const std::vector<std::filesystem::path>& pictures, int readers,
                        std::uint64_t max_pixels) {
    std::vector<PictureDetection> found(pictures.size());
    host_.run([&] {
      const auto keep = [&](std::size_t index, PictureDetection one) { found[index] = std::move(one); };
      detect_files(*detector_, pictures, readers, keep, {max_pixels});
    });
    nb::list list;
    for (const PictureDetection& one : found) {
      if (one.error) {
        list.append(as_exception(*one.error));
      } else {
        list.append(as_tuple(one.detection));
      }
    }
    return list;
  }

  nb::dict match(const nb::tuple& found, const std::string& expected, const std::string& key) const {
    const MessageMatch match = detector_->match(from_tuple(found), expected, key);
    nb::dict fields;
    fields["matches"] = match.matches;
    fields["bits"] = match.bits;
    fields["p_value"] = match.p_value;
    fields["log10_p_value"] = match.log10_p_value;
    return fields;
  }

  nb::object decode(const nb::tuple& found, const std::string& key) const {
    const std::optional<DecodedPayload> payload = detector_->decode(from_tuple(found), key);
    if (!payload) return nb::none();
    nb::dict fields;
    fields["words"] = payload->words();
    fields["id"] = payload->kind == PayloadKind::kId ? nb::cast(payload->id) : nb::none();
    fields["text"] = payload->kind == PayloadKind::kText ? nb::object(text_of(payload->text)) : nb::none();
    fields["version"] = payload->version;
    fields["corrected_bits"] = payload->corrected_bits;
    fields["false_positive"] = payload->false_positive;
    fields["log10_false_positive"] = payload->log10_false_positive;
    return fields;
  }

  std::size_t bits() const { return detector_->bits(); }
  std::int64_t image_size() const { return detector_->image_size(); }
  bool fully_delegated() const { return detector_->fully_delegated(); }
  const char* cache() const { return cache_name(detector_->cache_use()); }

 private:
  Host& host_;
  KeptModel model_;
  std::optional<Detector> detector_;
};

}  // namespace

const char* cache_name(WeightCacheUse use) {
  if (use == WeightCacheUse::kHit) return "hit";
  return use == WeightCacheUse::kMade ? "made" : "off";
}

void bind_detector(nb::module_& module) {
  nb::class_<KeptDetector>(module, "Detector")
      .def(nb::init<Host&, const nb::object&, int>(), nb::keep_alive<1, 2>(), nb::arg("host"),
           nb::arg("model"), nb::arg("inference_threads"))
      .def("detect", &KeptDetector::detect, nb::arg("pictures").noconvert())
      .def("detect_bytes", &KeptDetector::detect_bytes, nb::arg("file"), nb::arg("max_pixels"))
      .def("detect_paths", &KeptDetector::detect_paths, nb::arg("pictures"), nb::arg("readers"),
           nb::arg("max_pixels"))
      .def("match", &KeptDetector::match, nb::arg("found"), nb::arg("expected"), nb::arg("key"))
      .def("decode", &KeptDetector::decode, nb::arg("found"), nb::arg("key"))
      .def_prop_ro("bits", &KeptDetector::bits)
      .def_prop_ro("image_size", &KeptDetector::image_size)
      .def_prop_ro("fully_delegated", &KeptDetector::fully_delegated)
      .def_prop_ro("cache", &KeptDetector::cache);
  module.def(
      "judge",
      [](double log10_p_value, double rate) { return picture_verdict_name(judge(log10_p_value, rate)); },
      nb::arg("log10_p_value"), nb::arg("rate"));
}

}  // namespace sealite::python

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "bindings/host.h"
#include "sealite/convert.h"
#include "sealite/extract.h"
#include "sealite/make_checkpoint.h"

namespace sealite::python {
namespace {

Part part_named(const std::string& name) {
  if (name == "detector") return Part::kDetector;
  if (name == "embedder") return Part::kEmbedder;
  if (name == "both") return Part::kBoth;
  fail(ErrorCode::kUsage, "part '{}'; expected detector, embedder or both", name);
}

nb::list layer_fields(const std::vector<QuantizedLayer>& layers) {
  nb::list list;
  for (const QuantizedLayer& layer : layers) {
    nb::dict fields;
    fields["name"] = text_of(layer.name);
    fields["format"] = layer.format;
    fields["weights"] = layer.weights;
    fields["weight_error"] = layer.weight_error;
    fields["output_error"] = layer.output_error ? nb::cast(*layer.output_error) : nb::none();
    fields["logits_effect"] = layer.logits_effect ? nb::cast(*layer.logits_effect) : nb::none();
    list.append(fields);
  }
  return list;
}

nb::list counted_names(const std::vector<std::pair<std::string, std::uint64_t>>& pairs) {
  nb::list list;
  for (const auto& [name, count] : pairs) list.append(nb::make_tuple(text_of(name), count));
  return list;
}

nb::list names_of(const std::vector<std::string>& names) {
  nb::list list;
  for (const std::string& name : names) list.append(text_of(name));
  return list;
}

nb::dict convert_fields(const ConvertReport& report) {
  nb::dict fields;
  fields["part"] = report.part == Part::kEmbedder ? "embedder" : "detector";
  fields["output"] = report.output;
  fields["bytes"] = report.bytes;
  fields["card"] = text_of(report.card);
  fields["precision"] = report.precision;
  fields["input_shape"] = nb::tuple(nb::cast(report.input_shape));
  fields["message_shape"] = nb::tuple(nb::cast(report.message_shape));
  fields["output_shape"] = nb::tuple(nb::cast(report.output_shape));
  fields["multiply_accumulates"] = report.multiply_accumulates;
  fields["operators"] = report.operators;
  fields["parameters"] = report.parameters;
  fields["layers"] = layer_fields(report.layers);
  fields["checkpoint_hash"] = report.checkpoint_hash;
  fields["non_finite"] = nb::tuple(counted_names(report.non_finite));
  fields["unread"] = nb::tuple(names_of(report.unread));
  return fields;
}

/// What `convert` of Python hands over; its names are the keywords'.
ConvertOptions convert_options(Host& host, const nb::dict& wishes) {
  ConvertOptions options;
  options.part = part_named(nb::cast<std::string>(wishes["part"]));
  options.card = nb::cast<std::string>(wishes["card"]);
  options.key = nb::cast<std::string>(wishes["key"]);
  options.image_size = nb::cast<std::int64_t>(wishes["image_size"]);
  options.layout = nb::cast<bool>(wishes["nhwc"]) ? ImageLayout::kNhwc : ImageLayout::kNchw;
  options.dynamic = nb::cast<bool>(wishes["dynamic"]);
  options.quantize = nb::cast<std::string>(wishes["quantize"]);
  options.keep = nb::cast<std::vector<std::string>>(wishes["keep"]);
  options.calibrate = nb::cast<std::vector<std::filesystem::path>>(wishes["calibrate"]);
  options.gptq = nb::cast<bool>(wishes["gptq"]);
  options.layer_errors = nb::cast<bool>(wishes["layer_errors"]);
  options.allow_non_finite = nb::cast<bool>(wishes["allow_non_finite"]);
  options.model_name = nb::cast<std::string>(wishes["model_name"]);
  options.replace_others = nb::cast<bool>(wishes["force"]);
  options.sync = nb::cast<bool>(wishes["sync"]);
  options.context = host.context();
  return options;
}

nb::list convert_checkpoint(Host& host, const std::filesystem::path& checkpoint,
                            const std::filesystem::path& output, bool folder, const nb::dict& wishes) {
  const ConvertOptions options = convert_options(host, wishes);
  const auto reports = host.run([&] {
    return folder ? convert_into(checkpoint, output, options) : convert(checkpoint, output, options);
  });
  nb::list list;
  for (const ConvertReport& report : reports) list.append(convert_fields(report));
  return list;
}

ExtractType dtype_named(const std::string& name) {
  if (name.empty()) return ExtractType::kAsInFile;
  if (name == "float32" || name == "fp32") return ExtractType::kFloat32;
  if (name == "float16" || name == "fp16") return ExtractType::kFloat16;
  if (name == "bfloat16" || name == "bf16") return ExtractType::kBFloat16;
  fail(ErrorCode::kUsage, "dtype '{}'; expected float32, float16 or bfloat16", name);
}

ExtractPart extract_part_named(const std::string& name) {
  if (name == "detector") return ExtractPart::kDetector;
  if (name == "embedder") return ExtractPart::kEmbedder;
  if (name == "all") return ExtractPart::kAll;
  fail(ErrorCode::kUsage, "part '{}'; expected detector, embedder or all", name);
}

nb::list dropped_fields(const std::vector<DroppedPart>& parts) {
  nb::list list;
  for (const DroppedPart& part : parts)
    list.append(nb::make_tuple(text_of(part.name), part.tensors, part.bytes));
  return list;
}

nb::dict extract_checkpoint(Host& host, const std::filesystem::path& checkpoint,
                            const std::filesystem::path& output, const std::string& part,
                            const std::string& dtype, const std::string& key) {
  ExtractOptions options;
  options.part = extract_part_named(part);
  options.dtype = dtype_named(dtype);
  options.key = key;
  options.context = host.context();
  const ExtractReport report = host.run([&] { return extract(checkpoint, output, options); });
  nb::dict fields;
  fields["output"] = report.output;
  fields["format"] = report.format;
  fields["bytes"] = report.bytes;
  fields["tensors"] = report.tensors;
  fields["tensor_bytes"] = report.tensor_bytes;
  nb::dict dtypes;
  for (const auto& [name, count] : report.dtypes) dtypes[text_of(name)] = count;
  fields["dtypes"] = dtypes;
  fields["epoch"] = report.epoch ? nb::cast(*report.epoch) : nb::none();
  fields["dropped_args"] = nb::tuple(names_of(report.dropped_args));
  fields["dropped_sections"] = nb::tuple(dropped_fields(report.dropped_sections));
  fields["dropped_prefixes"] = nb::tuple(dropped_fields(report.dropped_prefixes));
  fields["overflowed"] = nb::tuple(counted_names(report.overflowed));
  return fields;
}

nb::dict write_checkpoint(Host& host, const std::filesystem::path& output, const std::string& card,
                          std::uint64_t seed, bool detector_only) {
  MakeCheckpointOptions options;
  options.card = card;
  options.seed = seed;
  options.detector_only = detector_only;
  options.context = host.context();
  const MakeCheckpointReport report = host.run([&] { return make_checkpoint(output, options); });
  nb::dict fields;
  fields["bytes"] = report.bytes;
  fields["parameters"] = report.parameters;
  fields["tensors"] = report.tensors;
  return fields;
}

}  // namespace

void bind_make(nb::module_& module) {
  module.def("convert", &convert_checkpoint, nb::arg("host"), nb::arg("checkpoint"), nb::arg("output"),
             nb::arg("folder"), nb::arg("wishes"));
  module.def("extract", &extract_checkpoint, nb::arg("host"), nb::arg("checkpoint"), nb::arg("output"),
             nb::arg("part"), nb::arg("dtype"), nb::arg("key"));
  module.def("make_checkpoint", &write_checkpoint, nb::arg("host"), nb::arg("output"), nb::arg("card"),
             nb::arg("seed"), nb::arg("detector_only"));
  module.def("card_names", [] { return nb::tuple(nb::cast(card_names())); });
}

}  // namespace sealite::python

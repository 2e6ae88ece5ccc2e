#include "sealite/verify.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bindings/host.h"

namespace sealite::python {
namespace {

const char* verdict_name(Verdict verdict) {
  if (verdict == Verdict::kMatches) return "matches";
  return verdict == Verdict::kFails ? "fails" : "cannot tell";
}

const char* outcome_name(CheckOutcome outcome) {
  if (outcome == CheckOutcome::kPass) return "pass";
  return outcome == CheckOutcome::kFail ? "fail" : "skipped";
}

nb::object number_or_none(const std::optional<double>& number) {
  return number ? nb::cast(*number) : nb::none();
}

nb::dict figure_fields(const Figure& figure) {
  nb::dict fields;
  fields["name"] = text_of(figure.name);
  fields["value"] = figure.value;
  fields["unit"] = figure.unit;
  fields["at_most"] = number_or_none(figure.at_most);
  fields["at_least"] = number_or_none(figure.at_least);
  return fields;
}

nb::dict check_fields(const Check& check) {
  nb::dict fields;
  fields["name"] = check.name;
  fields["title"] = check.title;
  fields["outcome"] = outcome_name(check.outcome);
  fields["finding"] = text_of(check.finding);
  nb::list figures;
  for (const Figure& figure : check.figures) figures.append(figure_fields(figure));
  fields["figures"] = figures;
  return fields;
}

nb::dict output_fields(const ComparedOutput& output) {
  nb::dict fields;
  fields["picture"] = text_of(output.picture);
  fields["reference"] = nb::tuple(nb::cast(output.reference));
  fields["found"] = nb::tuple(nb::cast(output.found));
  return fields;
}

nb::dict marked_fields(const MarkedPicture& marked) {
  nb::dict fields;
  fields["picture"] = text_of(marked.picture);
  fields["message"] = marked.message;
  fields["height"] = marked.height;
  fields["width"] = marked.width;
  fields["model_against_reference"] = marked.model_against_reference;
  fields["model_against_picture"] = marked.model_against_picture;
  fields["reference_against_picture"] = marked.reference_against_picture;
  return fields;
}

nb::dict difference_fields(const LayerDifference& layer) {
  nb::dict fields;
  fields["name"] = text_of(layer.name);
  fields["op"] = layer.op;
  fields["error"] = layer.error;
  return fields;
}

nb::dict weight_fields(const WeightDifference& weight) {
  nb::dict fields;
  fields["name"] = text_of(weight.name);
  fields["type"] = weight.type;
  fields["row"] = weight.row;
  fields["error"] = weight.error;
  fields["in_steps"] = weight.in_steps;
  return fields;
}

template <typename Items, typename Fields>
nb::list list_of(const Items& items, const Fields& fields) {
  nb::list list;
  for (const auto& item : items) list.append(fields(item));
  return list;
}

nb::dict verify_fields(const VerifyReport& report) {
  nb::dict fields;
  fields["model"] = report.model;
  fields["bytes"] = report.bytes;
  fields["part"] = report.part;
  fields["card"] = text_of(report.card);
  fields["precision"] = report.precision;
  fields["operators"] = report.operators;
  fields["verdict"] = verdict_name(report.verdict);
  fields["reason"] = text_of(report.reason);
  fields["compared"] = list_of(report.compared, [](const std::string& text) { return text_of(text); });
  fields["checks"] = list_of(report.checks, check_fields);
  fields["outputs"] = list_of(report.outputs, output_fields);
  fields["marked"] = list_of(report.marked, marked_fields);
  fields["layers"] = list_of(report.layers, difference_fields);
  fields["weights"] = list_of(report.weights, weight_fields);
  fields["load_seconds"] = report.load_seconds;
  fields["first_run_seconds"] = report.first_run_seconds;
  fields["run_seconds"] = report.run_seconds;
  fields["total_seconds"] = report.total_seconds;
  return fields;
}

VerifyReport verify_file(Host& host, const std::filesystem::path& model,
                         const std::filesystem::path& checkpoint, const std::string& card,
                         const std::string& key, const std::filesystem::path& reference,
                         const std::vector<std::filesystem::path>& images, int runs) {
  VerifyOptions options;
  options.checkpoint = checkpoint;
  options.card = card;
  options.key = key;
  options.reference = reference;
  options.images = images;
  options.runs = runs;
  options.context = host.context();
  return host.run([&] { return verify_model(model, options); });
}

}  // namespace

void bind_verify(nb::module_& module) {
  nb::class_<VerifyReport>(module, "VerifyReport")
      .def("fields", &verify_fields)
      .def("write_page", &write_verify_report, nb::arg("command"), nb::arg("output"));
  module.def("verify", &verify_file, nb::arg("host"), nb::arg("model"), nb::arg("checkpoint"),
             nb::arg("card"), nb::arg("key"), nb::arg("reference"), nb::arg("images"), nb::arg("runs"));
}

}  // namespace sealite::python

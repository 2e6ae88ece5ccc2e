#include "sealite/inspect.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bindings/host.h"
#include "bindings/model_bytes.h"

namespace sealite::python {
namespace {

nb::list tensor_fields(const std::vector<InspectedTensor>& tensors) {
  nb::list list;
  for (const InspectedTensor& tensor : tensors) {
    nb::dict fields;
    fields["name"] = text_of(tensor.name);
    fields["type"] = text_of(tensor.type);
    fields["shape"] = nb::tuple(nb::cast(tensor.shape));
    fields["storage"] = text_of(tensor.storage);
    fields["weight_bytes"] = tensor.weight_bytes;
    list.append(fields);
  }
  return list;
}

nb::dict texts_of(const std::map<std::string, std::string>& map) {
  nb::dict texts;
  for (const auto& [name, value] : map) texts[text_of(name)] = text_of(value);
  return texts;
}

nb::list lines_of(const std::vector<std::string>& lines) {
  nb::list list;
  for (const std::string& line : lines) list.append(text_of(line));
  return list;
}

nb::dict checkpoint_fields(Host& host, const std::filesystem::path& file, const std::string& key) {
  const CheckpointInspection found = host.run([&] { return inspect_checkpoint(file, host.context(), key); });
  nb::dict fields;
  fields["format"] = found.format;
  fields["bytes"] = found.bytes;
  fields["parameters"] = found.parameters;
  fields["args"] = texts_of(found.args);
  nb::list sections;
  for (const InspectedSection& section : found.sections) {
    nb::dict own;
    own["name"] = text_of(section.name);
    own["tensors"] = section.tensors;
    own["bytes"] = section.bytes;
    own["opaque"] = nb::tuple(lines_of(section.opaque));
    sections.append(own);
  }
  fields["sections"] = sections;
  fields["tensors"] = tensor_fields(found.tensors);
  fields["unreadable"] = texts_of(found.unreadable);
  fields["notes"] = nb::tuple(lines_of(found.notes));
  return fields;
}

nb::dict model_fields(Host& host, const nb::object& model) {
  const KeptModel kept(model);
  const ModelInspection found = host.run([&] { return inspect_model(kept.source(), host.context()); });
  nb::dict fields;
  fields["bytes"] = found.bytes;
  fields["description"] = text_of(found.description);
  fields["weights_outside"] = found.weights_outside;
  nb::list signatures;
  for (const InspectedSignature& signature : found.signatures) {
    nb::dict own;
    own["key"] = text_of(signature.key);
    own["inputs"] = tensor_fields(signature.inputs);
    own["outputs"] = tensor_fields(signature.outputs);
    signatures.append(own);
  }
  fields["signatures"] = signatures;
  nb::dict operators;
  for (const auto& [name, count] : found.operators) operators[text_of(name)] = count;
  fields["operators"] = operators;
  fields["metadata"] = texts_of(found.metadata);
  fields["tensors"] = tensor_fields(found.tensors);
  return fields;
}

}  // namespace

void bind_inspect(nb::module_& module) {
  module.def("is_model_file", &is_model_file, nb::arg("file"));
  module.def("inspect_checkpoint", &checkpoint_fields, nb::arg("host"), nb::arg("file"), nb::arg("key"));
  module.def("inspect_model", &model_fields, nb::arg("host"), nb::arg("model"));
}

}  // namespace sealite::python

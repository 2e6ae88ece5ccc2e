#include "sealite/json.h"

#include <nlohmann/json.hpp>

namespace sealite {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVerdictNames[] = {"matches", "fails", "cannot_tell"};
constexpr const char* kOutcomeNames[] = {"pass", "fail", "skipped"};

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json signature_json(const std::vector<InspectedTensor>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors)
    list.push_back({{"name", tensor.name}, {"type", tensor.type}, {"shape", tensor.shape}});
  return list;
}

Json layers_json(const std::vector<QuantizedLayer>& layers) {
  Json list = Json::array();
  for (const QuantizedLayer& layer : layers) {
    Json entry = {{"name", layer.name},
                  {"format", layer.format},
                  {"weights", layer.weights},
                  {"weight_error", layer.weight_error}};
    if (layer.output_error) entry["output_error"] = *layer.output_error;
    if (layer.logits_effect) entry["logits_effect"] = *layer.logits_effect;
    list.push_back(std::move(entry));
  }
  return list;
}

Json conversion_json(const ConvertReport& report) {
  Json json;
  json["file"] = report.output.string();
  json["part"] = report.part == Part::kDetector ? "detector" : "embedder";
  json["bytes"] = report.bytes;
  json["card"] = report.card;
  json["precision"] = report.precision;
  json["input_shape"] = report.input_shape;
  if (!report.message_shape.empty()) json["message_shape"] = report.message_shape;
  json["output_shape"] = report.output_shape;
  json["multiply_accumulates"] = report.multiply_accumulates;
  json["operators"] = report.operators;
  json["parameters"] = report.parameters;
  json["checkpoint_hash"] = report.checkpoint_hash;
  json["non_finite"] = Json::object();
  for (const auto& [name, count] : report.non_finite) json["non_finite"][name] = count;
  json["unread"] = report.unread;
  if (!report.layers.empty()) json["layers"] = layers_json(report.layers);
  return json;
}

Json check_json(const Check& check) {
  Json json = {{"name", check.name},
               {"outcome", kOutcomeNames[static_cast<int>(check.outcome)]},
               {"finding", check.finding},
               {"figures", Json::array()}};
  for (const Figure& figure : check.figures) {
    Json entry = {{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}};
    if (figure.at_most) entry["at_most"] = *figure.at_most;
    if (figure.at_least) entry["at_least"] = *figure.at_least;
    json["figures"].push_back(std::move(entry));
  }
  return json;
}

Json marked_json(const std::vector<MarkedPicture>& marked) {
  Json list = Json::array();
  for (const MarkedPicture& picture : marked) {
    list.push_back({{"picture", picture.picture},
                    {"message", picture.message},
                    {"height", picture.height},
                    {"width", picture.width},
                    {"psnr_model_against_reference", picture.model_against_reference},
                    {"psnr_model_against_picture", picture.model_against_picture},
                    {"psnr_reference_against_picture", picture.reference_against_picture}});
  }
  return list;
}

Json weights_json(const std::vector<WeightDifference>& weights) {
  Json list = Json::array();
  for (const WeightDifference& weight : weights) {
    list.push_back({{"name", weight.name},
                    {"type", weight.type},
                    {"row", weight.row},
                    {"error", weight.error},
                    {"in_steps", weight.in_steps}});
  }
  return list;
}

}  // namespace

std::string to_json(const CheckpointInspection& checkpoint, const std::string& file,
                    InspectedTensors tensors) {
  Json json;
  json["file"] = file;
  json["format"] = checkpoint.format;
  json["bytes"] = checkpoint.bytes;
  json["parameters"] = checkpoint.parameters;
  json["args"] = checkpoint.args;
  json["sections"] = Json::array();
  for (const auto& section : checkpoint.sections) {
    json["sections"].push_back({{"name", section.name},
                                {"tensors", section.tensors},
                                {"bytes", section.bytes},
                                {"opaque", section.opaque}});
  }
  json["unreadable"] = checkpoint.unreadable;
  json["notes"] = checkpoint.notes;
  if (tensors == InspectedTensors::kLeftOut) return one_line(json);
  json["tensors"] = Json::array();
  for (const InspectedTensor& tensor : checkpoint.tensors) {
    json["tensors"].push_back(
        {{"name", tensor.name}, {"type", tensor.type}, {"shape", tensor.shape}, {"storage", tensor.storage}});
  }
  return one_line(json);
}

std::string to_json(const ModelInspection& model, const std::string& file, InspectedTensors tensors) {
  Json json;
  json["file"] = file;
  json["format"] = "tflite";
  json["bytes"] = model.bytes;
  json["description"] = model.description;
  json["weights_outside_flatbuffer"] = model.weights_outside;
  json["signatures"] = Json::array();
  for (const auto& signature : model.signatures) {
    json["signatures"].push_back({{"key", signature.key},
                                  {"inputs", signature_json(signature.inputs)},
                                  {"outputs", signature_json(signature.outputs)}});
  }
  json["operators"] = model.operators;
  json["metadata"] = model.metadata;
  if (tensors == InspectedTensors::kLeftOut) return one_line(json);
  json["tensors"] = Json::array();
  for (const auto& tensor : model.tensors) {
    json["tensors"].push_back({{"name", tensor.name},
                               {"type", tensor.type},
                               {"shape", tensor.shape},
                               {"weight_bytes", tensor.weight_bytes}});
  }
  return one_line(json);
}

std::string to_json(const ConvertReport& report) {
  return one_line(conversion_json(report));
}

std::string to_json(std::span<const ConvertReport> reports) {
  Json list = Json::array();
  for (const ConvertReport& report : reports) list.push_back(conversion_json(report));
  return one_line(list);
}

std::string to_json(const VerifyReport& report) {
  Json json;
  json["file"] = report.model.string();
  json["verdict"] = kVerdictNames[static_cast<int>(report.verdict)];
  json["reason"] = report.reason;
  json["compared_with"] = report.compared;
  json["part"] = report.part;
  json["bytes"] = report.bytes;
  json["card"] = report.card;
  json["precision"] = report.precision;
  json["operators"] = report.operators;
  json["checks"] = Json::array();
  for (const Check& check : report.checks) json["checks"].push_back(check_json(check));
  if (!report.marked.empty()) json["marked"] = marked_json(report.marked);
  json["layers"] = Json::array();
  for (const LayerDifference& layer : report.layers)
    json["layers"].push_back({{"name", layer.name}, {"op", layer.op}, {"error", layer.error}});
  json["worst_weights"] = weights_json(report.weights);
  json["load_seconds"] = report.load_seconds;
  json["first_run_seconds"] = report.first_run_seconds;
  json["run_seconds"] = report.run_seconds;
  json["seconds"] = report.total_seconds;
  return one_line(json);
}

}  // namespace sealite

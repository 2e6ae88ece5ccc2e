#include "verify/subject.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "graph/stored_precision.h"
#include "verify/model_kind.h"
#include "watermark/blend.h"

namespace sealite::verify {
namespace {

std::string text_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::optional<Marking> read_marking(const nlohmann::json& json) {
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<double>() : NAN;
  };
  const auto attenuation = json.find("attenuation");
  if (attenuation == json.end() || !attenuation->is_string()) return std::nullopt;
  Marking marking;
  try {
    marking.jnd = watermark::parse_attenuation(attenuation->get<std::string>());
  } catch (const Error&) {
    return std::nullopt;
  }
  marking.scaling_w = number("scaling_w");
  marking.scaling_i = number("scaling_i");
  if (!std::isfinite(marking.scaling_w) || !std::isfinite(marking.scaling_i)) return std::nullopt;
  return marking;
}

std::optional<Claims> read_claims(const model_file::ModelInfo& info) {
  const auto text = info.metadata.find("sealite");
  if (text == info.metadata.end()) return std::nullopt;
  const auto json = nlohmann::json::parse(text->second, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return Claims{text_at(json, "model"),           text_at(json, "part"),   number_at(json, "bits"),
                number_at(json, "image_size"),    text_at(json, "layout"), text_at(json, "precision"),
                text_at(json, "checkpoint_hash"), read_marking(json)};
}

// Of the weights that operators read: what nothing reads says nothing.
std::string stored_precision(const model_file::ModelInfo& info) {
  graph::StoredValues values;
  for (const model_file::ModelTensor& tensor : info.tensors) {
    const bool number = tensor.type == DType::kFloat32 || tensor.type == DType::kFloat16 ||
                        tensor.type == DType::kInt8 || tensor.type == DType::kInt4;
    if (number && tensor.read && tensor.weight_bytes > 0)
      values[tensor.type] += element_count(tensor.shape).value_or(0);
  }
  return std::string(graph::precision_of(values));
}

Part part_of(const Subject& subject) {
  const auto has = [&](Part part) {
    return std::ranges::count(subject.info.signatures, kind_of(part).names().signature,
                              &model_file::ModelSignature::key) > 0;
  };
  if (has(Part::kEmbedder)) return Part::kEmbedder;
  const bool claimed = subject.claims && subject.claims->part == kind_of(Part::kEmbedder).names().part;
  return claimed && !has(Part::kDetector) ? Part::kEmbedder : Part::kDetector;
}

}  // namespace

const model_file::ModelSignature* Subject::signature() const {
  const auto found =
      std::ranges::find(info.signatures, kind_of(part).names().signature, &model_file::ModelSignature::key);
  return found == info.signatures.end() ? nullptr : &*found;
}

Subject read_subject(const std::filesystem::path& path) {
  Subject subject;
  subject.file = model_file::open_model(path);
  subject.info = model_file::read_model(*subject.file);
  subject.claims = read_claims(subject.info);
  subject.precision = stored_precision(subject.info);
  subject.part = part_of(subject);
  return subject;
}

}  // namespace sealite::verify

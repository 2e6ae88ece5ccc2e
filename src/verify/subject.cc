#include "verify/subject.h"

#include <algorithm>
#include <nlohmann/json.hpp>

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

std::optional<Claims> read_claims(const tflite::ModelInfo& info) {
  const auto text = info.metadata.find("sealite");
  if (text == info.metadata.end()) return std::nullopt;
  const auto json = nlohmann::json::parse(text->second, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return Claims{text_at(json, "model"),          text_at(json, "part"),   number_at(json, "bits"),
                number_at(json, "image_size"),   text_at(json, "layout"), text_at(json, "precision"),
                text_at(json, "checkpoint_hash")};
}

std::string precision_of(const tflite::ModelInfo& info) {
  const auto has = [&](DType type) {
    return std::ranges::any_of(info.tensors, [&](const tflite::ModelTensor& tensor) {
      return tensor.weight_bytes > 0 && tensor.type == type;
    });
  };
  if (has(DType::kInt4)) return "int4";
  if (has(DType::kInt8)) return "int8";
  return has(DType::kFloat16) ? "fp16" : "float32";
}

}  // namespace

const tflite::ModelSignature* Subject::signature() const {
  const auto found = std::ranges::find(info.signatures, "detect", &tflite::ModelSignature::key);
  return found == info.signatures.end() ? nullptr : &*found;
}

Subject read_subject(const std::filesystem::path& path) {
  Subject subject;
  subject.path = path;
  subject.info = tflite::read_model(path);
  subject.claims = read_claims(subject.info);
  subject.precision = subject.claims && !subject.claims->precision.empty() ? subject.claims->precision
                                                                           : precision_of(subject.info);
  return subject;
}

}  // namespace sealite::verify

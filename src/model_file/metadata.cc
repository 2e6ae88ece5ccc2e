#include "model_file/metadata.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

namespace sealite::model_file {
namespace {

// One entry of a JSON object. A string may be a file's name: any bytes. nlohmann's objects are not used,
// whose destructor takes memory, and ends the process if there is none.
void add_entry(std::string& object, std::string_view key, const nlohmann::json& scalar) {
  object += object.empty() ? "{" : ",";
  object += fmt::format("\"{}\":", key);
  object += scalar.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add_option(std::string& object, std::string_view key, const std::string& text) {
  if (!text.empty()) add_entry(object, key, text);
}

std::string text_at(const nlohmann::json& json, const std::string& key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t integer_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

double number_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : NAN;
}

bool flag_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

std::optional<EmbeddingFacts> read_embedding(const nlohmann::json& json) {
  const auto attenuation = json.find("attenuation");
  if (attenuation == json.end() || !attenuation->is_string()) return std::nullopt;
  EmbeddingFacts facts{attenuation->get<std::string>(), number_at(json, "scaling_w"),
                       number_at(json, "scaling_i"), flag_at(json, "yuv")};
  if (!std::isfinite(facts.scaling_w) || !std::isfinite(facts.scaling_i)) return std::nullopt;
  return facts;
}

}  // namespace

std::string to_json(const Metadata& metadata) {
  std::string object;
  add_entry(object, "model", metadata.model);
  add_entry(object, "part", metadata.part);
  add_entry(object, "bits", metadata.bits);
  add_entry(object, "image_size", metadata.image_size);
  add_entry(object, "layout", metadata.layout);
  add_entry(object, "precision", metadata.precision);
  add_entry(object, "sealite_version", metadata.sealite_version);
  add_entry(object, "checkpoint_hash", metadata.checkpoint_hash);
  if (const auto& facts = metadata.embedding) {
    add_entry(object, "attenuation", facts->attenuation);
    add_entry(object, "scaling_w", facts->scaling_w);
    add_entry(object, "scaling_i", facts->scaling_i);
    add_entry(object, "yuv", facts->yuv);
  }
  if (metadata.dynamic) add_entry(object, "dynamic", true);
  for (std::size_t i = 0; i < metadata.keep.size(); ++i)
    add_entry(object, fmt::format("keep_{}", i + 1), metadata.keep[i]);
  add_option(object, "rounding", metadata.rounding);
  add_option(object, "calibration_hash", metadata.calibration_hash);
  add_option(object, "stop_after", metadata.stop_after);
  return object + "}";
}

std::optional<Metadata> read_metadata(const ModelInfo& model) {
  const auto text = model.metadata.find(kMetadataName);
  if (text == model.metadata.end()) return std::nullopt;
  const auto json = nlohmann::json::parse(text->second, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Metadata metadata;
  metadata.model = text_at(json, "model");
  metadata.part = text_at(json, "part");
  metadata.bits = integer_at(json, "bits");
  metadata.image_size = integer_at(json, "image_size");
  metadata.layout = text_at(json, "layout");
  metadata.precision = text_at(json, "precision");
  metadata.sealite_version = text_at(json, "sealite_version");
  metadata.checkpoint_hash = text_at(json, "checkpoint_hash");
  metadata.embedding = read_embedding(json);
  metadata.dynamic = flag_at(json, "dynamic");
  for (std::size_t i = 1; json.contains(fmt::format("keep_{}", i)); ++i)
    metadata.keep.push_back(text_at(json, fmt::format("keep_{}", i)));
  metadata.rounding = text_at(json, "rounding");
  metadata.calibration_hash = text_at(json, "calibration_hash");
  metadata.stop_after = text_at(json, "stop_after");
  return metadata;
}

}  // namespace sealite::model_file

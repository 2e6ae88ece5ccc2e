#include "model/network.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "base/error.h"

namespace sealite::model {
namespace {

// A new architecture is one file and one row here (docs/adding-a-model.md).
constexpr std::array kDetectors = {&kConvNext, &kVit};
constexpr std::array kEmbedders = {&kUNet};

template <typename Table, typename Matches>
auto first(const Table& table, Matches matches) {
  const auto found = std::ranges::find_if(table, [&](const auto* each) { return matches(*each); });
  return found == table.end() ? nullptr : *found;
}

template <typename Table>
auto find(const Table& table, std::string_view model) {
  return first(table, [&](const auto& architecture) { return model.starts_with(architecture.models); });
}

template <typename Table>
auto find(const Table& table, const checkpoint::Checkpoint& checkpoint) {
  return first(table, [&](const auto& architecture) {
    return std::ranges::any_of(checkpoint.tensors(), [&](const auto& tensor) {
      return tensor.first.starts_with(architecture.tensors);
    });
  });
}

// "ConvNeXtV2 (convnext_*), ViT (sam_*)"
template <typename Table>
std::string names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto* each : table) names.push_back(fmt::format("{} ({}_*)", each->title, each->models));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

const DetectorArchitecture* find_detector(std::string_view model) {
  return find(kDetectors, model);
}

const DetectorArchitecture* find_detector(const checkpoint::Checkpoint& checkpoint) {
  return find(kDetectors, checkpoint);
}

const EmbedderArchitecture* find_embedder(std::string_view model) {
  return find(kEmbedders, model);
}

const EmbedderArchitecture* find_embedder(const checkpoint::Checkpoint& checkpoint) {
  return find(kEmbedders, checkpoint);
}

std::vector<Parameter> EmbedderNetwork::parameters() const {
  std::vector<Parameter> parameters = saved_parameters();
  std::erase_if(parameters, [](const Parameter& parameter) {
    return parameter.type != DType::kFloat32 || !parameter.same_storage_as.empty();
  });
  return parameters;
}

std::unique_ptr<DetectorNetwork> make_detector(const Card& card) {
  if (card.detector.model.empty()) fail(ErrorCode::kMismatch, "'{}' has no detector", card.name);
  const DetectorArchitecture* architecture = find_detector(card.detector.model);
  if (architecture != nullptr && card.detector.encoder.has_value()) return architecture->make(card);
  fail(ErrorCode::kUnsupported, "card '{}': detector '{}' is not supported; there are {}", card.name,
       card.detector.model, names_in(kDetectors));
}

std::unique_ptr<EmbedderNetwork> make_embedder(const Card& card) {
  if (!card.embedder.present) fail(ErrorCode::kMismatch, "card '{}' has no embedder", card.name);
  const EmbedderArchitecture* architecture = find_embedder(card.embedder.model);
  if (architecture != nullptr && card.embedder.network.has_value()) return architecture->make(card);
  fail(ErrorCode::kUnsupported, "card '{}': embedder '{}' is not supported; there are {}", card.name,
       card.embedder.model, names_in(kEmbedders));
}

}  // namespace sealite::model

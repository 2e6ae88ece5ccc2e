#include "model/network.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "base/error.h"

namespace sealite::model {
namespace {

using MakeEmbedder = std::unique_ptr<EmbedderNetwork> (*)(const Card&);

// A new architecture is one file and one row here (docs/adding-a-model.md).
const DetectorArchitecture* const kDetectors[] = {&kConvNext, &kVit};
constexpr MakeEmbedder kEmbedders[] = {make_unet};

std::string known_detectors() {
  std::vector<std::string> names;
  for (const DetectorArchitecture* each : kDetectors)
    names.push_back(fmt::format("{} ({}_*)", each->title, each->models));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

const DetectorArchitecture* find_architecture(std::string_view model) {
  for (const DetectorArchitecture* each : kDetectors) {
    if (model.starts_with(each->models)) return each;
  }
  return nullptr;
}

const DetectorArchitecture* find_architecture(const checkpoint::Checkpoint& checkpoint) {
  for (const DetectorArchitecture* each : kDetectors) {
    const auto has = [&](const auto& tensor) { return tensor.first.starts_with(each->tensors); };
    if (std::ranges::any_of(checkpoint.tensors(), has)) return each;
  }
  return nullptr;
}

std::unique_ptr<DetectorNetwork> make_detector(const Card& card) {
  if (card.detector.model.empty()) fail(ErrorCode::kMismatch, "'{}' has no detector", card.name);
  const DetectorArchitecture* architecture = find_architecture(card.detector.model);
  if (architecture != nullptr && card.detector.encoder.has_value()) return architecture->make(card);
  fail(ErrorCode::kUnsupported, "card '{}': detector '{}' is not supported; there are {}", card.name,
       card.detector.model, known_detectors());
}

std::unique_ptr<EmbedderNetwork> make_embedder(const Card& card) {
  if (!card.embedder.present) fail(ErrorCode::kMismatch, "card '{}' has no embedder", card.name);
  for (const MakeEmbedder make : kEmbedders) {
    if (auto network = make(card)) return network;
  }
  fail(ErrorCode::kUnsupported, "card '{}': embedder '{}' is not supported; U-Nets (unet_*) are", card.name,
       card.embedder.model);
}

}  // namespace sealite::model

#include "model/network.h"

#include "base/error.h"

namespace sealite::model {
namespace {

using MakeDetector = std::unique_ptr<DetectorNetwork> (*)(const Card&);
using MakeEmbedder = std::unique_ptr<EmbedderNetwork> (*)(const Card&);

// A new architecture is one file and one row here (docs/adding-a-model.md).
constexpr MakeDetector kDetectors[] = {make_convnext};
constexpr MakeEmbedder kEmbedders[] = {make_unet};

}  // namespace

std::unique_ptr<DetectorNetwork> make_detector(const Card& card) {
  if (card.detector.dims.empty()) fail(ErrorCode::kMismatch, "'{}' has no detector", card.name);
  for (const MakeDetector make : kDetectors) {
    if (auto network = make(card)) return network;
  }
  fail(ErrorCode::kUnsupported,
       "card '{}': detector '{}' is not supported yet; ConvNeXtV2 detectors (convnext_*) are", card.name,
       card.detector.model);
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

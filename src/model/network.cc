#include "model/network.h"

#include "base/error.h"

namespace sealite::model {
namespace {

using MakeDetector = std::unique_ptr<DetectorNetwork> (*)(const Card&);

// A new architecture is one file and one row here (docs/adding-a-model.md).
constexpr MakeDetector kDetectors[] = {make_convnext};

}  // namespace

std::unique_ptr<DetectorNetwork> make_detector(const Card& card) {
  for (const MakeDetector make : kDetectors) {
    if (auto network = make(card)) return network;
  }
  fail(ErrorCode::kUnsupported,
       "card '{}': detector '{}' is not supported yet; ConvNeXtV2 detectors (convnext_*) are", card.name,
       card.detector.model);
}

}  // namespace sealite::model

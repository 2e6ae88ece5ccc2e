#pragma once

#include <memory>
#include <vector>

#include "graph/builder.h"
#include "model/card.h"
#include "model/parameter.h"
#include "model/weights.h"

namespace sealite::model {

/// A detector architecture, configured by a card.
class DetectorNetwork {
 public:
  virtual ~DetectorNetwork() = default;
  /// What it wants from the checkpoint, in the checkpoint's order.
  virtual std::vector<Parameter> parameters() const = 0;
  /// RGB [N,S,S,3] in [0,1] to logits [N, 1 + bits] (or per pixel).
  virtual graph::ValueId build(const Weights& weights, graph::Builder& builder,
                               graph::ValueId image) const = 0;
};

/// An embedder architecture, configured by a card.
class EmbedderNetwork {
 public:
  virtual ~EmbedderNetwork() = default;
  /// What `build` reads from the checkpoint, in the checkpoint's order.
  virtual std::vector<Parameter> parameters() const = 0;
  /// Length of its messages.
  virtual std::int64_t bits() const = 0;
  /// RGB [N,S,S,3] in [0,1] and a message [N, bits] of zeros and ones to delta [N,S,S,C], before attenuation
  /// and scaling: C is 1 for a network that works on luma, else 3.
  virtual graph::ValueId build(const Weights& weights, graph::Builder& builder, graph::ValueId image,
                               graph::ValueId message) const = 0;
};

/// The detector that the card describes: the first row of the architecture table (network.cc) that knows it.
/// Throws kUnsupported if none does, kMismatch if the card has no detector.
std::unique_ptr<DetectorNetwork> make_detector(const Card& card);

/// The embedder that the card describes, likewise. Throws kMismatch if the card has no embedder.
std::unique_ptr<EmbedderNetwork> make_embedder(const Card& card);

// One line for each architecture; nullptr if the card is not of its kind.
std::unique_ptr<DetectorNetwork> make_convnext(const Card& card);
std::unique_ptr<EmbedderNetwork> make_unet(const Card& card);

}  // namespace sealite::model

#pragma once

#include <any>
#include <memory>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/builder.h"
#include "model/card.h"
#include "model/card_section.h"
#include "model/parameter.h"
#include "model/weights.h"

namespace sealite::model {

/// A detector architecture, configured by a card.
class DetectorNetwork {
 public:
  virtual ~DetectorNetwork() = default;
  /// What it wants from the checkpoint, in the checkpoint's order.
  virtual std::vector<Parameter> parameters() const = 0;
  /// Whether it reads pictures of any size, or only those that it was trained on.
  virtual bool reads_any_size() const { return true; }
  /// RGB [N,S,S,3] in [0,1] to logits [N, 1 + bits] (or per pixel).
  virtual graph::ValueId build(const Weights& weights, graph::Builder& builder,
                               graph::ValueId image) const = 0;
};

/// An embedder architecture, configured by a card.
class EmbedderNetwork {
 public:
  virtual ~EmbedderNetwork() = default;
  /// What the reference code saves of it, in the checkpoint's order.
  virtual std::vector<Parameter> saved_parameters() const = 0;
  /// What `build` reads of these: neither counters nor another name of the same values.
  std::vector<Parameter> parameters() const;
  /// Whether it works on luma alone.
  virtual bool reads_luma() const { return false; }
  /// Length of its messages.
  virtual std::int64_t bits() const = 0;
  /// RGB [N,S,S,3] in [0,1] and a message [N, bits] of zeros and ones to delta [N,S,S,C], before attenuation
  /// and scaling: C is 1 for a network that works on luma, else 3.
  virtual graph::ValueId build(const Weights& weights, graph::Builder& builder, graph::ValueId image,
                               graph::ValueId message) const = 0;
};

/// What a checkpoint tells about a detector without its card.
struct DerivedEncoder {
  std::any encoder;
  std::int64_t channels = 0;  ///< That the pixel decoder gets.
};

/// What a checkpoint tells about an embedder without its card.
struct DerivedEmbedder {
  std::any network;
  std::int64_t bits = 0;
  std::int64_t hidden_size = 0;  ///< Of the message embedding, if there is one.
};

/// A row of the table of detectors (network.cc): all that is known of a kind is in its own file.
struct DetectorArchitecture {
  std::string_view title;    ///< "ConvNeXtV2"
  std::string_view models;   ///< How its cards' model names begin: "convnext"
  std::string_view tensors;  ///< How its tensors' names begin: "detector.convnext."
  /// Reads `extractor.params` of a card whose other fields are read already. Throws kMalformed, kUnsupported.
  std::any (*read_card)(const CardSection& params, const Card& card);
  /// The same from a checkpoint's tensors. Throws kMismatch if they do not tell.
  DerivedEncoder (*derive)(const checkpoint::Checkpoint& checkpoint, const std::string& model);
  std::unique_ptr<DetectorNetwork> (*make)(const Card& card);
};

/// A row of the table of embedders, likewise.
struct EmbedderArchitecture {
  std::string_view title;    ///< "U-Net"
  std::string_view models;   ///< How its cards' model names begin: "unet"
  std::string_view tensors;  ///< How its tensors' names begin: "embedder.unet."
  /// Reads `embedder.params` of a card whose other fields are read already. Throws kMalformed, kUnsupported.
  std::any (*read_card)(const CardSection& params, const Card& card);
  /// The same from a checkpoint's tensors. Throws kMismatch if they do not tell.
  DerivedEmbedder (*derive)(const checkpoint::Checkpoint& checkpoint, const std::string& model);
  /// Throws kUnsupported for settings that it does not build, kMismatch for those that the checkpoint did not
  /// tell.
  std::unique_ptr<EmbedderNetwork> (*make)(const Card& card);
};

/// The architecture of this model name, or nullptr.
const DetectorArchitecture* find_detector(std::string_view model);
const EmbedderArchitecture* find_embedder(std::string_view model);
/// The architecture whose tensors the checkpoint has, or nullptr.
const DetectorArchitecture* find_detector(const checkpoint::Checkpoint& checkpoint);
const EmbedderArchitecture* find_embedder(const checkpoint::Checkpoint& checkpoint);

/// The detector that the card describes. Throws kUnsupported if no architecture knows it, kMismatch if the
/// card has no detector.
std::unique_ptr<DetectorNetwork> make_detector(const Card& card);

/// The embedder that the card describes, likewise; also throws what its architecture's `make` throws.
std::unique_ptr<EmbedderNetwork> make_embedder(const Card& card);

// One line for each architecture.
extern const DetectorArchitecture kConvNext;
extern const DetectorArchitecture kVit;
extern const EmbedderArchitecture kUNet;

}  // namespace sealite::model

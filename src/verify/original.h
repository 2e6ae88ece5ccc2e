#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"
#include "model/card.h"
#include "model/unread_tensors.h"
#include "sealite/verify.h"
#include "verify/model_kind.h"
#include "verify/subject.h"

namespace sealite::verify {

/// What the model should compute: the checkpoint's network.
class Original {
 public:
  /// Throws what opening and understanding the checkpoint throws, kMismatch if it has no network of this
  /// kind.
  Original(const VerifyOptions& options, const ModelKind& kind);

  const std::filesystem::path& path() const { return checkpoint_->path(); }
  const model::Card& card() const { return card_; }
  /// How an embedder's delta is put into a picture, by the card. Throws kMismatch for an unknown attenuation.
  watermark::Marking marking() const;
  /// The user named the card; a derived one may lack what `convert` was told by a card.
  bool card_is_named() const { return card_is_named_; }
  /// Of this kind, what no layer reads.
  model::UnreadTensors unread() const;
  /// As `convert` writes it into the model. Reads every weight once.
  std::string hash() const;
  /// The network as PyTorch has it, before any pass, for NHWC pictures of this size.
  graph::Graph graph(std::int64_t height, std::int64_t width) const;

 private:
  std::shared_ptr<const checkpoint::Checkpoint> checkpoint_;
  bool card_is_named_;
  model::Card card_;
  std::string_view part_;
  OriginalNetwork network_;
};

}  // namespace sealite::verify

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/evaluate.h"
#include "image/resize.h"
#include "model/card.h"
#include "model/network.h"
#include "sealite/verify.h"

namespace sealite::verify {

/// What the model should compute: the checkpoint's network.
class Original {
 public:
  /// Throws what opening and understanding the checkpoint throws.
  explicit Original(const VerifyOptions& options);

  const model::Card& card() const { return card_; }
  /// As `convert` writes it into the model. Reads every weight once.
  std::string hash() const;
  /// The network as PyTorch has it, before any pass, for NHWC pictures of this size.
  graph::Graph graph(std::int64_t height, std::int64_t width) const;

 private:
  std::shared_ptr<const checkpoint::Checkpoint> checkpoint_;
  model::Card card_;
  std::unique_ptr<model::DetectorNetwork> network_;
  std::vector<model::Parameter> parameters_;
};

/// A picture as the graph's input, [1,H,W,3].
graph::Tensor to_tensor(const image::Planes& planes);

/// Logits [1 + bits] of a detector's output; a pixelwise one's [1,H,W,1 + bits] are averaged over pixels.
std::vector<float> logits_of(const graph::Tensor& output);

}  // namespace sealite::verify

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/source.h"
#include "model/parameter.h"

namespace sealite::model {

/// A checkpoint's tensors as float32 sources, by name. Keeps the checkpoint alive as long as a source is.
class Weights {
 public:
  explicit Weights(std::shared_ptr<const checkpoint::Checkpoint> checkpoint)
      : checkpoint_(std::move(checkpoint)) {}

  /// The tensor called `name` in PyTorch's axis order. Throws kMismatch if there is none.
  graph::SourcePtr source(const std::string& name) const;
  const checkpoint::Checkpoint& checkpoint() const { return *checkpoint_; }

 private:
  std::shared_ptr<const checkpoint::Checkpoint> checkpoint_;
};

/// The shape of the checkpoint's tensor `name`. Throws kMismatch, with a word on --card, if there is none or
/// it has another rank.
const Shape& required_shape(const checkpoint::Checkpoint& checkpoint, const std::string& name,
                            std::size_t rank);

/// Throws kMismatch if a parameter is missing or has another shape: names the first such tensor with the
/// expected and the found shape, and says how many more there are. Throws kUnsupported if so few bytes share
/// so many parameters that the file is not believed (checkpoint/growth.h).
void check_parameters(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters,
                      const std::string& card_name);

/// What a read over the parameters' bytes finds.
struct WeightAudit {
  std::string hash;  // XXH3-128 over names, shapes and bytes, 32 hex digits
  std::vector<std::pair<std::string, std::uint64_t>>
      non_finite;  // tensors with NaN or infinite values, and how many
};

/// Reads every parameter once, in parallel. The hash does not depend on the order in the file or on other
/// tensors in it.
WeightAudit audit(const checkpoint::Checkpoint& checkpoint, const std::vector<Parameter>& parameters);

}  // namespace sealite::model

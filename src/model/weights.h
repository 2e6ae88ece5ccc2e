#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "graph/source.h"
#include "model/audit.h"
#include "model/parameter.h"

namespace sealite::model {

/// A checkpoint's tensors as float32 sources, by name. Keeps the checkpoint alive as long as a source is.
class Weights {
 public:
  /// `auditor`, if not null, sees what is read, whenever it is; it is of the same checkpoint.
  explicit Weights(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                   std::shared_ptr<WeightAuditor> auditor = nullptr)
      : checkpoint_(std::move(checkpoint)), auditor_(std::move(auditor)) {}

  /// The tensor called `name` in PyTorch's axis order. Throws kMismatch if there is none.
  graph::SourcePtr source(const std::string& name) const;
  const checkpoint::Checkpoint& checkpoint() const { return *checkpoint_; }

 private:
  std::shared_ptr<const checkpoint::Checkpoint> checkpoint_;
  std::shared_ptr<WeightAuditor> auditor_;
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

}  // namespace sealite::model

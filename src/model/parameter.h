#pragma once

#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::model {

/// A tensor that a network wants from its checkpoint, and how `make-checkpoint` fills it: uniform in
/// [center - spread, center + spread], chosen so that random networks keep activations near 1. Axis order as
/// in PyTorch (OIHW).
struct Parameter {
  std::string name;
  Shape shape;
  float center = 0;
  float spread = 0;
  DType type = DType::kFloat32;
  std::string same_storage_as{};  // name of an earlier parameter, or empty
  bool is_buffer = false;         // saved, but not trained: batch normalisation's running statistics
};

/// Collects the parameters of a network, with one call for each kind of layer.
class ParameterList {
 public:
  /// `name`.weight `shape` (OIHW or OI), and `name`.bias [O] if `bias`.
  void linear(const std::string& name, Shape shape, bool bias = true);
  /// `name`.weight [channels] near 1 and `name`.bias [channels] near 0.
  void norm(const std::string& name, std::int64_t channels);
  /// nn.BatchNorm2d: `norm`, the running statistics and the counter of batches, which nobody reads.
  void batch_norm(const std::string& name, std::int64_t channels);
  void add(Parameter parameter) { parameters_.push_back(std::move(parameter)); }

  std::vector<Parameter> take() { return std::move(parameters_); }

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace sealite::model

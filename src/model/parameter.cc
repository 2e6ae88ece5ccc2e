#include "model/parameter.h"

#include <cmath>

namespace sealite::model {

void ParameterList::linear(const std::string& name, Shape shape, bool bias) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
  const std::int64_t out = shape[0];
  // Uniform with variance 1 / fan_in: outputs have the variance of the inputs.
  add({name + ".weight", std::move(shape), 0, std::sqrt(3.0F / static_cast<float>(fan_in))});
  if (bias) add({name + ".bias", {out}, 0, 0.1F});
}

void ParameterList::norm(const std::string& name, std::int64_t channels) {
  add({name + ".weight", {channels}, 1, 0.3F});
  add({name + ".bias", {channels}, 0, 0.2F});
}

void ParameterList::batch_norm(const std::string& name, std::int64_t channels) {
  norm(name, channels);
  add({name + ".running_mean", {channels}, 0, 0.2F, DType::kFloat32, "", true});
  add({name + ".running_var", {channels}, 1, 0.5F, DType::kFloat32, "", true});
  add({name + ".num_batches_tracked", {}, 1, 0, DType::kInt64, "", true});
}

}  // namespace sealite::model

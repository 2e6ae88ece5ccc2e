#include "verify/original.h"

#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "watermark/detect.h"

namespace sealite::verify {

Original::Original(const VerifyOptions& options)
    : checkpoint_(
          std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(options.checkpoint))),
      card_(options.card.empty() ? model::derive_card(*checkpoint_) : model::load_card(options.card)),
      network_(model::make_detector(card_)),
      parameters_(network_->parameters()) {
  model::check_parameters(*checkpoint_, parameters_, card_.name);
}

std::string Original::hash() const {
  return model::audit(*checkpoint_, parameters_).hash;
}

graph::Graph Original::graph(std::int64_t height, std::int64_t width) const {
  return model::build_detector_graph(*network_, model::Weights(checkpoint_),
                                     {model::Layout::kNhwc, 1, height, width});
}

graph::Tensor to_tensor(const image::Planes& planes) {
  return {{1, planes.height, planes.width, planes.channels}, planes.data};
}

std::vector<float> logits_of(const graph::Tensor& output) {
  return watermark::average_pixels(output.values, static_cast<std::size_t>(output.shape.back()), false);
}

}  // namespace sealite::verify

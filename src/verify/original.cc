#include "verify/original.h"

#include <fmt/format.h>

#include "model/derive_card.h"
#include "watermark/blend.h"
#include "watermark/mark.h"

namespace sealite::verify {

Original::Original(const VerifyOptions& options, const ModelKind& kind)
    : checkpoint_(std::make_shared<const checkpoint::Checkpoint>(
          checkpoint::Checkpoint::open(options.checkpoint, options.key))),
      card_is_named_(!options.card.empty()),
      card_(options.card.empty() ? model::derive_card(*checkpoint_) : model::load_card(options.card)),
      part_(kind.names().part),
      network_(kind.network(card_)) {
  model::check_parameters(*checkpoint_, network_.parameters, card_.name);
}

watermark::Marking Original::marking() const {
  return {watermark::parse_attenuation(card_.attenuation), card_.scaling_w, card_.scaling_i, false};
}

model::UnreadTensors Original::unread() const {
  return model::find_unread(*checkpoint_, network_.parameters, fmt::format("{}.", part_));
}

std::string Original::hash() const {
  return model::audit(checkpoint_, network_.parameters).hash;
}

graph::Graph Original::graph(std::int64_t height, std::int64_t width) const {
  return network_.build(model::Weights(checkpoint_), {ImageLayout::kNhwc, 1, height, width});
}

}  // namespace sealite::verify

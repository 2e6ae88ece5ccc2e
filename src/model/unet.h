#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sealite::model {

/// `embedder.params.unet` of a card (videoseal modules/unet.py: UNetMsg).
struct UNetCard {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t z_channels = 16;
  std::vector<std::int64_t> z_channels_mults;  // of each level, the widest last
  std::int64_t num_blocks = 8;                 // in the bottleneck
  std::string activation = "relu";
  std::string normalization = "batch";
  bool last_tanh = true;
};

}  // namespace sealite::model

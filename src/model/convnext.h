#pragma once

#include <cstdint>
#include <vector>

namespace sealite::model {

/// `extractor.params.encoder` of a ConvNeXtV2 card.
struct ConvNextCard {
  std::vector<std::int64_t> depths;  // blocks of each stage
  std::vector<std::int64_t> dims;    // channels of each stage, after proportional_dim
  std::int64_t stem_stride = 4;
};

}  // namespace sealite::model

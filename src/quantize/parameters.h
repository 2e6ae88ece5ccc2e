#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/source.h"

namespace sealite::quantize {

/// How a channel's scale is chosen.
enum class ScaleSearch : std::uint8_t {
  kMaxAbs,  // the largest weight just fits
  kMse,     // clips a little where that lowers the channel's squared error
};

/// Largest integer of `bits`-bit symmetric weights: 127 or 7.
std::int32_t integer_limit(int bits);

/// One scale for each output channel (outermost row) of `weights` (float32), read once, block by block, in parallel. Throws
/// kMalformed, naming `name`, if a weight is NaN or infinite. A row of zeros gets scale 1.
std::vector<float> choose_scales(const std::string& name, const graph::Source& weights, int bits, ScaleSearch search);

/// `weights` as int8 with these scales.
graph::SourcePtr quantized_int8(graph::SourcePtr weights, std::vector<float> scales);
/// `weights` [O, even] as int4, two to a byte, low nibble first.
graph::SourcePtr quantized_int4(graph::SourcePtr weights, std::vector<float> scales);
/// `weights` as float16. Reading throws kMalformed, naming `name`, where a weight is NaN, infinite or beyond 65504.
graph::SourcePtr halved(std::string name, graph::SourcePtr weights);

}  // namespace sealite::quantize

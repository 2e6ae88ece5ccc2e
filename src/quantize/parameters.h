#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/source.h"
#include "quantize/moments.h"
#include "quantize/recipe.h"

namespace sealite::quantize {

/// Largest integer of symmetric weights: 7 for kInt4, 127 for kInt8.
constexpr std::int32_t integer_limit(DType type) {
  return type == DType::kInt4 ? 7 : 127;
}

/// How a channel's scale is chosen.
enum class ScaleSearch : std::uint8_t {
  kMaxAbs,  // the largest weight just fits
  kMse,     // clips a little where that lowers the channel's squared error
};

/// What one read over a filter's rows (output channels) gives.
struct RowScan {
  std::vector<float> scales;   // real = scale * integer; 1 for a row of zeros, for float16 and float32
  std::vector<float> sums;     // of weight * input mean
  std::vector<float> squares;  // of weight^2 * input variance
  std::vector<float>
      shifts;  // of (weight - rounded weight) * input mean: by what rounding lowers the output's mean
};

/// Reads `weights` (float32) once, block by block, in parallel. `input`: the moments of the layer's input
/// along the filter's innermost axis. Throws kMalformed, naming `name`, if a weight that is to be rounded is
/// NaN or infinite (or, for kFloat16, beyond 65504).
RowScan scan_rows(const std::string& name, const graph::Source& weights, WeightFormat format,
                  ScaleSearch search, const Moments& input);

/// `weights` as int8 with these scales.
graph::SourcePtr quantized_int8(graph::SourcePtr weights, std::vector<float> scales);
/// `weights` [O, even] as int4, two to a byte, low nibble first.
graph::SourcePtr quantized_int4(graph::SourcePtr weights, std::vector<float> scales);
/// Integers that are in memory already (row-major, within the type's range), as int8 or, two to a byte, int4.
graph::SourcePtr literal_integers(DType type, Shape shape, std::vector<std::int8_t> integers);
/// `weights` as float16.
graph::SourcePtr halved(graph::SourcePtr weights);

}  // namespace sealite::quantize

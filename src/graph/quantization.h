#pragma once

#include <vector>

namespace sealite::graph {

/// How a constant's integers stand for real values: real = scale * integer (symmetric, zero point 0).
struct Quantization {
  std::vector<float> scales;  // one for each row of the outermost axis (output channel)
};

}  // namespace sealite::graph

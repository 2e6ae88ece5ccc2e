#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "sealite/verify.h"
#include "verify/limits.h"

namespace sealite::verify {

/// What `compare_weights` finds.
struct WeightComparison {
  std::size_t constants = 0;             ///< Compared.
  std::uint64_t rows = 0;                ///< Output channels in them.
  std::size_t absent = 0;                ///< Of the original's, without a counterpart of that name and shape.
  std::vector<WeightDifference> worst;   ///< The worst row of each constant, the worst constant first.
  std::vector<WeightDifference> beyond;  ///< Those of `worst` that leave the limits.
};

/// Compares every row of every weight that the file holds with the one that the checkpoint gives, `expected`
/// being the checkpoint's graph after the passes. Biases of quantised models are left out: they absorb
/// rounding errors. Reads both files once, in parallel, block by block.
WeightComparison compare_weights(const graph::Graph& expected, const graph::Graph& stored,
                                 const Limits& limits);

}  // namespace sealite::verify

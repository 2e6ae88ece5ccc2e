#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "tflite/writer.h"

namespace sealite {

/// A model that satisfies the check of models before they run, and no network that anybody would train.
struct RandomModel {
  graph::Graph graph;
  tflite::WriteOptions options;  ///< Signature "detect" or "embed", with the metadata that belongs to it.
};

/// The model of one number, the same on every machine: every operator that Sealite writes, odd sizes,
/// broadcasts, both layouts, free sizes, float32, float16, int8 and int4 weights, weights inside and outside
/// the tables.
RandomModel make_random_model(std::uint64_t seed);

}  // namespace sealite

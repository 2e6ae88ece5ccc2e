#pragma once

#include <utility>

#include "evaluate/evaluate.h"
#include "float_checks.h"
#include "graph/builder.h"
#include "tflite/writer.h"

namespace sealite::tflite {

/// image [1,6,6,3] -> CONV_2D, MEAN, FULLY_CONNECTED -> [1,4], with random weights.
inline graph::Graph small_graph() {
  using namespace graph;
  Graph graph;
  Builder builder(graph);
  unsigned seed = 1;
  const auto weight = [&](const char* name, const Shape& shape) {
    return builder.constant(name, shape, random_values(shape, seed++));
  };
  ValueId x = builder.input("image", {1, 6, 6, 3});
  x = builder.add("conv", Conv2D{2}, {x, weight("conv.weight", {5, 2, 2, 3}), weight("conv.bias", {5})});
  x = builder.mean("mean", x, {1, 2}, false);
  x = builder.add("head", FullyConnected{}, {x, weight("head.weight", {4, 5}), weight("head.bias", {4})});
  graph.outputs = {x};
  return graph;
}

inline evaluate::Tensor small_input() {
  return {{1, 6, 6, 3}, random_values({1, 6, 6, 3}, 50)};
}

inline WriteOptions small_options(WeightPlacement placement = WeightPlacement::kAutomatic) {
  WriteOptions options;
  options.signature = "detect";
  options.description = "a small model";
  options.metadata = {{"sealite", R"({"bits":3})"}, {"empty", ""}};
  options.placement = placement;
  return options;
}

}  // namespace sealite::tflite

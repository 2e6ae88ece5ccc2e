#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "base/scratch_folder.h"
#include "evaluate/evaluate.h"
#include "fixture_files.h"
#include "model/derive_card.h"
#include "model/detector_graph.h"
#include "model/embedder_graph.h"
#include "npy.h"
#include "runtime/litert_library.h"
#include "sealite/sealite.hpp"

namespace sealite {

/// The graph that `convert_detector` starts from, for the evaluator's answer.
inline graph::Graph detector_graph(const std::filesystem::path& path, const model::InterfaceOptions& border) {
  const auto file = std::make_shared<const checkpoint::Checkpoint>(checkpoint::Checkpoint::open(path));
  return build_detector_graph(*model::make_detector(model::derive_card(*file)), model::Weights(file), border);
}

/// [N,3,H,W] to [N,H,W,3].
inline evaluate::Tensor to_nhwc(const Npy& images) {
  const std::size_t pixels = static_cast<std::size_t>(images.shape[2] * images.shape[3]);
  evaluate::Tensor nhwc{{images.shape[0], images.shape[2], images.shape[3], 3}, {}};
  nhwc.values.resize(images.values.size());
  for (std::size_t i = 0; i < images.values.size(); ++i) {
    const std::size_t image = i / (3 * pixels);
    nhwc.values[(image * pixels + i % pixels) * 3 + i / pixels % 3] = images.values[i];
  }
  return nhwc;
}

inline Detector load_detector(const std::filesystem::path& model) {
  DetectorOptions options;
  options.context.litert_library = runtime::litert_library();
  return Detector(model, options);
}

/// `bits` (a row of a messages.npy) in hexadecimal, padded with zeros.
inline std::string hex_of(std::span<const float> bits) {
  std::string hex;
  for (std::size_t start = 0; start < bits.size(); start += 4) {
    int digit = 0;
    for (std::size_t i = 0; i < 4; ++i)
      digit = digit * 2 + (start + i < bits.size() && bits[start + i] > 0 ? 1 : 0);
    hex += "0123456789abcdef"[digit];
  }
  return hex;
}

}  // namespace sealite

#pragma once

#include <string_view>

namespace sealite::verify {

/// What a check is called: by programs (`Check::name`, --json), and by people (`Check::title`).
struct CheckName {
  std::string_view name;
  std::string_view title;
};

/// What the model's outputs are compared with, and the checks that do it.
struct ComparedWith {
  std::string_view words;  ///< "the checkpoint", inside a sentence
  CheckName numbers;
  CheckName bits;      ///< Of a detector.
  CheckName pictures;  ///< Of an embedder.
};

}  // namespace sealite::verify

/// Every check there is (docs/verification.md).
namespace sealite::verify::checks {

inline constexpr CheckName kLoads{"loads", "Loads in the real runtime"};
inline constexpr CheckName kInterface{"interface", "Shapes, types, signature and metadata"};
inline constexpr CheckName kInference{"inference", "Runs on real pictures"};
inline constexpr CheckName kInferenceOnSynthetic{kInference.name, "Runs on pictures"};
inline constexpr CheckName kPlausible{"plausible", "Finite and plausible"};
inline constexpr CheckName kRepeatable{"repeatable", "Repeats itself"};
inline constexpr CheckName kTensors{"checkpoint-tensors", "Tensors of the checkpoint"};
inline constexpr CheckName kWeights{"weights", "Stored weights, row by row"};
inline constexpr CheckName kLayers{"layers", "Layer by layer"};

inline constexpr ComparedWith kCheckpoint{"the checkpoint",
                                          {"checkpoint-numbers", "Numbers against the checkpoint"},
                                          {"checkpoint-bits", "Bits against the checkpoint"},
                                          {"checkpoint-pictures", "Marked pictures against the checkpoint"}};
inline constexpr ComparedWith kReference{"the saved tensors",
                                         {"reference-numbers", "Numbers against the saved tensors"},
                                         {"reference-bits", "Bits against the saved tensors"},
                                         {"reference-pictures", "Marked pictures against the saved tensors"}};

}  // namespace sealite::verify::checks

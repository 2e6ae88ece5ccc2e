#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "sealite/context.h"
#include "sealite/error.h"

namespace sealite {

struct MakeCheckpointOptions {
  std::string card = "chunkyseal";  ///< Compiled-in name or YAML file.
  std::uint64_t seed = 0;
  bool detector_only = false;   ///< Without the embedder.
  bool training_state = false;  ///< With an `optimizer` section, AdamW's for the detector's trained values.
  Context context = {};
};

struct MakeCheckpointReport {
  std::uint64_t bytes = 0;
  std::uint64_t parameters = 0;  ///< Trained values, a shared storage counted once.
  std::size_t tensors = 0;       ///< Of the model, without the optimizer's.
};

/// Writes a torch zip with the card's architecture and random, well-scaled weights, which the real
/// `torch.load(weights_only=True)` opens: for tests and measurements at full size. The same seed gives the
/// same bytes. Throws sealite::Error.
MakeCheckpointReport make_checkpoint(const std::filesystem::path& output,
                                     const MakeCheckpointOptions& options = {});

}  // namespace sealite

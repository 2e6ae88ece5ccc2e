#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/new_tensor.h"
#include "checkpoint/plain_value.h"

namespace sealite::checkpoint {

/// What `write_torch_file` writes.
struct NewCheckpoint {
  std::string archive_name;  ///< The folder inside the zip; "archive" if empty.
  std::vector<NewTensor> model;
  std::string args_yaml;  ///< Stored as text under "args" if not empty.
  std::optional<std::int64_t> epoch;
  /// What else stands beside the model ("optimizer", an "args" that is a dict, …), in this order.
  std::vector<std::pair<std::string, PlainValue>> sections = {};
  /// Tensors that `sections` name by their index here; their own names appear only in errors.
  std::vector<NewTensor> section_tensors = {};
};

/// Writes a torch zip as `torch.save` does (entries stored, data aligned to 64 bytes), so that
/// `torch.load(path, weights_only=True)` opens it: {"epoch", "model", sections…, "args"}. The file appears
/// under its name only when complete; memory stays at one block of 4 MiB per worker. Throws kUsage for
/// contradictory tensors, kUnsupported for int4, kIo, kInterrupted, and what `fill` throws.
void write_torch_file(const std::filesystem::path& path, const NewCheckpoint& checkpoint);

}  // namespace sealite::checkpoint

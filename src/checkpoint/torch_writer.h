#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::checkpoint {

/// A tensor to write, row-major.
struct NewTensor {
  std::string name;
  DType type = DType::kFloat32;
  Shape shape;
  /// Name of an earlier tensor of the same type and number of elements whose memory this one shares, or
  /// empty.
  std::string same_storage_as;
  /// Makes the little-endian bytes [byte_offset, byte_offset + out.size()) of the tensor. Called from several
  /// threads for disjoint blocks; not called when `same_storage_as` is set.
  std::function<void(std::uint64_t byte_offset, MutableByteView out)> fill;
};

/// What `write_torch_file` writes.
struct NewCheckpoint {
  std::string archive_name;  ///< The folder inside the zip; "archive" if empty.
  std::vector<NewTensor> model;
  std::string args_yaml;  ///< Stored as text under "args" if not empty.
  std::optional<std::int64_t> epoch;
};

/// Writes a torch zip as `torch.save` does (entries stored, data aligned to 64 bytes), so that
/// `torch.load(path, weights_only=True)` opens it: {"epoch", "model", "args"}. The file appears under its
/// name only when complete; memory stays at one block of 4 MiB per worker. Throws kUsage for contradictory
/// tensors, kUnsupported for int4, kIo, kInterrupted, and what `fill` throws.
void write_torch_file(const std::filesystem::path& path, const NewCheckpoint& checkpoint);

}  // namespace sealite::checkpoint

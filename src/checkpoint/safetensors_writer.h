#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/new_tensor.h"

namespace sealite::checkpoint {

/// Writes a safetensors file with `tensors` and the texts of `metadata`: header and data in the order in
/// which the reference library writes them (large element types first, then by name). The file appears under
/// its name only when complete; memory stays at one block of 4 MiB per worker. Throws kUsage for
/// contradictory tensors and for shared storages, which the format has no place for, kUnsupported for int4
/// and a header of more than 100 MB, kIo, kInterrupted, and what a tensor's `fill` throws. Source:
/// huggingface/safetensors, safetensors/src/tensor.rs: prepare.
void write_safetensors_file(const std::filesystem::path& path, const std::vector<NewTensor>& tensors,
                            const ArgMap& metadata);

}  // namespace sealite::checkpoint

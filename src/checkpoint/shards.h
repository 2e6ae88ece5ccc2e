#pragma once

#include <filesystem>
#include <functional>

#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Whether `file` is the index of a model in several files (*.index.json).
bool is_shard_index(ByteView file);

/// The one index in `folder`. Throws kNotFound, with what is there, if there is none or several.
std::filesystem::path find_shard_index(const std::filesystem::path& folder);

/// The tensors that an index names, out of the files beside it, each read by `read`. Names are of files in
/// that very folder. Throws kMalformed, kUnsupported, kNotFound, and what `read` throws.
Contents read_shards(ByteView index, const std::filesystem::path& folder,
                     const std::function<Contents(ByteView file)>& read);

}  // namespace sealite::checkpoint

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "checkpoint/torch_writer.h"

namespace sealite::checkpoint {

/// The data.pkl of `checkpoint`, protocol 2. `storages[i]` is the number that names the entry data/N of the
/// i-th tensor of the model, and after those of the section tensors. Throws kUnsupported for a type that
/// torch has no storage for (int4), kUsage for a section that names a tensor that is not there.
std::string write_pickle(const NewCheckpoint& checkpoint, const std::vector<std::size_t>& storages);

}  // namespace sealite::checkpoint

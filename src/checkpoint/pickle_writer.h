#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "checkpoint/torch_writer.h"

namespace sealite::checkpoint {

/// The data.pkl of `checkpoint`, protocol 2. `storages[i]` is the number that names the entry data/N of
/// model[i]. Throws kUnsupported for a type that torch has no storage for (int4).
std::string write_pickle(const NewCheckpoint& checkpoint, const std::vector<std::size_t>& storages);

}  // namespace sealite::checkpoint

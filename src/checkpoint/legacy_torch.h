#pragma once

#include <string>

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Whether `file` starts like a file of torch before 1.6: a pickle of torch's magic number.
bool is_legacy_torch(ByteView file);

/// Reads such a file: pickles of a magic number, a version, a machine's properties, the value and its
/// storages' keys, and then the storages, each behind its number of elements. The views look into `file`.
/// `key`: see `find_weights`. Throws kMalformed, kUnsupported, kUsage. Source: torch/serialization.py:
/// _legacy_save.
Contents read_legacy_torch(ByteView file, const std::string& key);

}  // namespace sealite::checkpoint

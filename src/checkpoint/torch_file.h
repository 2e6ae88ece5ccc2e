#pragma once

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Whether `file` starts like a zip.
bool is_zip(ByteView file);

/// Whether `file` starts like a file of torch before 1.6 (a bare pickle of torch's magic number).
bool is_legacy_torch(ByteView file);

/// Reads the zip that `torch.save` writes. The views look into `file`. Throws kMalformed, or kUnsupported for
/// TorchScript archives, big-endian files and files without a state dict.
Contents read_torch(ByteView file);

}  // namespace sealite::checkpoint

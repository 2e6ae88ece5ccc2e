#pragma once

#include <string>

#include "base/bytes.h"
#include "checkpoint/checkpoint.h"

namespace sealite::checkpoint {

/// Whether `file` starts like a zip.
bool is_zip(ByteView file);

/// A zip's contents, and which kind it was.
struct TorchContents {
  Contents contents;
  bool script = false;
};

/// Reads the zip that `torch.save` or `torch.jit.save` writes; of the latter the weights alone, no code of it
/// is looked at. The views look into `file`, or into memory of their own where an entry is deflated. `key`:
/// see `find_weights`. Throws kMalformed, kUsage, or kUnsupported for big-endian files, for other zips and
/// for files without a state dict.
TorchContents read_torch(ByteView file, const std::string& key);

}  // namespace sealite::checkpoint

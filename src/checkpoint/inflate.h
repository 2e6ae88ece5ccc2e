#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/mapped_file.h"
#include "checkpoint/growth.h"
#include "checkpoint/zip_index.h"

namespace sealite::checkpoint {

/// Contents of zip entries, those that are deflated inflated into memory of their own.
struct Contained {
  std::vector<ByteView>
      bytes;  ///< In the order in which they were asked for; they look into file and memory.
  MappedFile memory;
};

/// `entries`: names and entries. What they would be together is compared with their packed bytes before any
/// memory is taken (checkpoint/growth.h; `small` bytes are never refused), so that a small file stays small;
/// each gives exactly the bytes that the zip's directory says, or the file is refused. Several threads.
/// Checksums of what is inflated are checked. Throws kMalformed, kUnsupported, kNoMemory.
Contained contents_of(const std::vector<std::pair<std::string_view, const ZipEntry*>>& entries,
                      std::uint64_t small = kSmallGrowth);

}  // namespace sealite::checkpoint

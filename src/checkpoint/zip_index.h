#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/bytes.h"

namespace sealite::checkpoint {

/// A file inside a zip.
struct ZipEntry {
  ByteView packed;         ///< As it stands in the zip: the contents themselves, unless it is deflated.
  std::uint64_t size = 0;  ///< Of the contents, as the directory says.
  bool deflated = false;
  std::uint32_t crc = 0;  ///< As the directory says; not checked here (torch can write files without it: 0).
};

/// Name -> contents; names and contents look into the mapped file.
using ZipIndex = std::map<std::string_view, ZipEntry, std::less<>>;

/// Reads the directory of the zip (or zip64) in `file`, which may have up to 64 KiB of something else behind
/// it. Only stored and deflated entries are accepted; nothing is inflated here (checkpoint/inflate.h). Checks
/// that each local header agrees with the directory and that entries neither repeat, overlap nor leave the
/// file. Throws kMalformed, or kUnsupported for other compressions, encrypted and multi-disk archives.
/// Source: PKWARE APPNOTE 6.3.10.
ZipIndex read_zip_index(ByteView file);

/// Throws kMalformed if `entry` carries a checksum that its contents, `bytes`, do not match.
void check_crc(std::string_view name, const ZipEntry& entry, ByteView bytes);

}  // namespace sealite::checkpoint

#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/bytes.h"

namespace sealite::checkpoint {

/// A stored file inside a zip.
struct ZipEntry {
  ByteView bytes;
  std::uint32_t crc = 0;  ///< As the directory says; not checked here (torch can write files without it: 0).
};

/// Name -> contents; names and contents look into the mapped file.
using ZipIndex = std::map<std::string_view, ZipEntry, std::less<>>;

/// Reads the directory of the zip (or zip64) that fills `file`. Only stored entries are accepted and nothing
/// is ever inflated, so there is nothing for a zip bomb to expand. Checks that each local header agrees with
/// the directory and that entries neither repeat, overlap nor leave the file. Throws kMalformed, or
/// kUnsupported for compressed, encrypted and multi-disk archives. Source: PKWARE APPNOTE 6.3.10.
ZipIndex read_zip_index(ByteView file);

/// Throws kMalformed if `entry` carries a checksum and its bytes do not match it.
void check_crc(std::string_view name, const ZipEntry& entry);

}  // namespace sealite::checkpoint

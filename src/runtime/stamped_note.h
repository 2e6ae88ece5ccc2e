#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file_stamp.h"

namespace sealite::runtime {

/// A note on disk of another file's stamp and content hash.
struct StampedNote {
  std::string hash;
  bool holds = false;  ///< The file is surely what it was when the note was written; else hash it again.
};

/// Reads a note. `margin_ns`: how much later than the file's last change the note must have been written to
/// be sure, since a file that changes twice within one tick of its file system's clock keeps its stamp.
/// Nothing if there is no note, or if it is of a file of another size.
std::optional<StampedNote> read_note(const std::filesystem::path& note, const FileStamp& stamp,
                                     std::int64_t margin_ns);

/// Writes or replaces a note, in one step. Throws kIo.
void write_note(const std::filesystem::path& note, const FileStamp& stamp, const std::string& hash);

}  // namespace sealite::runtime

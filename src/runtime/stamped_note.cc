#include "runtime/stamped_note.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/file_descriptor.h"

namespace sealite::runtime {
namespace {

constexpr const char* kFirstLine = "sealite-note-2";

// Nothing is flushed to the disk before it is named, so after a power failure a file may have its stamp and
// not its content: a stamp is only good until the machine starts again.
std::string this_boot() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id.empty() ? "unknown" : id;
}

}  // namespace

std::optional<StampedNote> read_note(const std::filesystem::path& note, const FileStamp& stamp,
                                     std::int64_t margin_ns) {
  const FileDescriptor file(::open(note.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto own = file ? FileStamp::of(file.get()) : std::nullopt;
  if (!own || own->size > 1024) return std::nullopt;
  std::string first;
  std::string boot;
  FileStamp noted;
  StampedNote found;
  std::ifstream in(fmt::format("/proc/self/fd/{}", file.get()));
  in >> first >> boot >> noted.device >> noted.inode >> noted.size >> noted.modified_ns >> noted.changed_ns >>
      found.hash;
  if (!in || first != kFirstLine || found.hash.size() != 64 || noted.size != stamp.size) return std::nullopt;
  const std::int64_t last_change = std::max(stamp.modified_ns, stamp.changed_ns);
  found.holds = noted == stamp && boot != "unknown" && boot == this_boot() &&
                own->modified_ns - margin_ns > last_change;
  return found;
}

void write_note(const std::filesystem::path& note, const FileStamp& stamp, const std::string& hash) {
  AtomicFile file(note);
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n", kFirstLine, this_boot(), to_string(stamp), hash);
  file.write(0, as_bytes(text));
  file.commit();
}

}  // namespace sealite::runtime

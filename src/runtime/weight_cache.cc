#include "runtime/weight_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "base/memory_limit.h"
#include "runtime/content_hash.h"
#include "runtime/machine_identity.h"

namespace sealite::runtime {
namespace {

constexpr std::int64_t kLongestTick = 2'000'000'000;  // nanoseconds

// A limit on the size of files counts for memory files too, and XNNPACK ends the process when it meets one.
// One on memory (--max-memory) does not count them, and so would be none.
bool may_pack_into_memory_file() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY && !memory_limit();
}

// Whether a change of the file after `stamp` was taken might not show in its next stamp.
bool is_young(const FileStamp& stamp) {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  return now - std::max(stamp.modified_ns, stamp.changed_ns) < kLongestTick;
}

FileStamp stamp_now(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return (file ? FileStamp::of(file.get()) : std::nullopt).value_or(FileStamp{});
}

// Of the content.
std::string model_hash(const CacheFolder& folder, const MappedFile& model) {
  // Of a copy, and where the file system does not show every change, the stamp says nothing.
  if (!model.stamp_is_sure()) return content_hash(model);
  if (const auto known = folder.recall(model.stamp())) return *known;
  std::string hash = content_hash(model);
  // Written to meanwhile? Then it is not known what the hash is of.
  if (stamp_now(model.path()) == model.stamp()) folder.remember(model.stamp(), hash);
  return hash;
}

}  // namespace

WeightCache::WeightCache(const RunOptions& options, const MappedFile& model, const void* library_function) {
  if (options.cache_folder.empty() || !options.weight_cache.empty() || model.size() < options.smallest_cached)
    return;
  std::optional<CacheFolder> folder = CacheFolder::locate(options.cache_folder);
  if (!folder) return;
  const std::string processor = processor_identity();
  const std::string library = library_identity(library_function);
  if (processor.empty() || library.empty()) return;
  hash_ = model_hash(*folder, model);
  // XNNPACK finds convolutions packed with the one kind of tables only if it makes that kind now.
  const std::string_view tables = options.tables_per_run ? "\ntables per run" : "";
  key_ = text_hash(fmt::format("sealite weights 2\n{}\n{}\n{}{}", hash_, library, processor, tables));
  file_ = folder->find(key_);
  if (file_) {
    use_ = WeightCacheUse::kHit;
  } else if (folder->writable() && may_pack_into_memory_file()) {
    file_ = FileDescriptor(::memfd_create("sealite weights", MFD_CLOEXEC));
    in_memory_ = static_cast<bool>(file_);
  }
  folder_ = std::move(folder);
}

// XNNPACK opens its file by name, more than once. This name is that of our open file, so it stays the one
// that was checked, whatever is in the folder since.
std::filesystem::path WeightCache::path() const {
  if (!file_) return {};
  return fmt::format("/proc/self/fd/{}", file_.get());
}

bool WeightCache::store(const MappedFile& model) {
  if (!in_memory_ || !folder_) return false;
  // What was packed must be what was hashed.
  if (!model.copied()) {
    if (stamp_now(model.path()) != model.stamp()) return false;
    const bool sure = model.stamp_is_sure() && !is_young(model.stamp());
    if (!sure && content_hash(model) != hash_) return false;
  }
  if (!folder_->store(key_, file_.get())) return false;
  use_ = WeightCacheUse::kMade;
  FileDescriptor stored = folder_->find(key_);
  if (!stored) return false;
  in_memory_ = false;
  file_ = std::move(stored);
  return true;
}

}  // namespace sealite::runtime

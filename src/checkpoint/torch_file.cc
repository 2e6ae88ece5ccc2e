#include "checkpoint/torch_file.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/inflate.h"
#include "checkpoint/pickled_contents.h"
#include "checkpoint/unpickle.h"
#include "checkpoint/zip_index.h"

namespace sealite::checkpoint {
namespace {

// data.pkl of a full ChunkySeal file is about 300 KB.
constexpr std::size_t kMaxPickle = std::size_t{64} << 20U;
// Of one that is compressed; a byte may become a value, which takes a hundred. Real ones shrink to a quarter.
constexpr std::uint64_t kSmallPickle = std::uint64_t{256} << 10U;

// The zip's entries NAME/data.pkl, NAME/data/0, …
class TorchZip : public StorageSource {
 public:
  explicit TorchZip(ByteView file) : index_(read_zip_index(file)), folder_(find_folder()) { check_kind(); }

  bool is_script() const {
    const std::string code = folder_ + "/code/";
    const auto first = index_.lower_bound(code);
    return find_entry("constants.pkl") != nullptr ||
           (first != index_.end() && first->first.starts_with(code));
  }

  // What `pickle` looks into lives as long as `this`.
  Pickle pickle() {
    const ZipEntry& entry = *find_entry("data.pkl");
    if (entry.size > kMaxPickle) {
      fail(ErrorCode::kMalformed, "data.pkl has {} bytes, at most {} are expected", entry.size, kMaxPickle);
    }
    if (!entry.deflated) check_crc("data.pkl", entry, entry.packed);
    pickle_ = contents_of({{"data.pkl", &entry}}, kSmallPickle);
    return unpickle(pickle_->bytes[0]);
  }

  std::uint64_t size(const StorageRef& storage) const override { return entry_of(storage).size; }

  void prepare(const std::vector<const StorageRef*>& storages, Contents& contents) override {
    std::vector<std::pair<std::string_view, const ZipEntry*>> entries;
    for (const StorageRef* storage : storages) {
      const ZipEntry* entry = find_storage(*storage);  // one that is not there is its tensor's fault
      if (entry != nullptr && entry->deflated) entries.emplace_back(storage->key, entry);
    }
    if (entries.empty()) return;
    Contained inflated = contents_of(entries);
    for (std::size_t i = 0; i < entries.size(); ++i) inflated_[entries[i].second] = inflated.bytes[i];
    contents.more.push_back(std::move(inflated.memory));
  }

  ByteView bytes(const StorageRef& storage) const override {
    const ZipEntry& entry = entry_of(storage);
    return entry.deflated ? inflated_.at(&entry) : entry.packed;
  }

 private:
  // NAME of the one entry "NAME/data.pkl".
  std::string find_folder() const {
    constexpr std::string_view kPickle = "/data.pkl";
    std::optional<std::string> folder;
    for (const auto& [name, entry] : index_) {
      if (!name.ends_with(kPickle)) continue;
      const std::string_view found = name.substr(0, name.size() - kPickle.size());
      if (found.empty() || found.find('/') != std::string_view::npos) continue;
      if (folder)
        fail(ErrorCode::kMalformed, "the zip holds two checkpoints, '{}' and '{}'", printable(*folder),
             printable(found));
      folder = std::string(found);
    }
    if (!folder) fail_other_zip();
    return *folder;
  }

  [[noreturn]] void fail_other_zip() const {
    const auto ends = [&](std::string_view word) {
      return std::ranges::any_of(index_, [&](const auto& entry) { return entry.first.ends_with(word); });
    };
    if (ends("archive_format") || ends("serialized_exported_program.json")) {
      fail(ErrorCode::kUnsupported,
           "a .pt2 file of torch.export holds a program; load it with torch.export.load and save its "
           "state_dict");
    }
    if (ends(".npy")) {
      fail(ErrorCode::kUnsupported,
           "an .npz file of NumPy arrays is no checkpoint; save the model's state_dict() with torch.save");
    }
    fail(ErrorCode::kUnsupported,
         "a zip without NAME/data.pkl: not a torch checkpoint (is it a zip around one?)");
  }

  const ZipEntry* find_entry(std::string_view name) const {
    const auto found = index_.find(fmt::format("{}/{}", folder_, name));
    return found == index_.end() ? nullptr : &found->second;
  }

  const ZipEntry* find_storage(const StorageRef& storage) const {
    return find_entry(fmt::format("data/{}", storage.key));
  }

  const ZipEntry& entry_of(const StorageRef& storage) const {
    const ZipEntry* entry = find_storage(storage);
    if (entry == nullptr)
      fail(ErrorCode::kMalformed, "its storage '{}' is not in the file", printable(storage.key));
    return *entry;
  }

  void check_kind() const {
    const ZipEntry* order = find_entry("byteorder");  // torch before 2.1 writes none: little
    if (order == nullptr || order->deflated || as_text(order->packed) == "little") return;
    if (as_text(order->packed) == "big") {
      fail(ErrorCode::kUnsupported, "the file was written on a big-endian machine; save it again on another");
    }
    fail(ErrorCode::kMalformed, "byte order '{}', expected 'little'", printable(as_text(order->packed)));
  }

  ZipIndex index_;
  std::string folder_;
  std::optional<Contained> pickle_;
  std::map<const ZipEntry*, ByteView> inflated_;
};

}  // namespace

bool is_zip(ByteView file) {
  return as_text(file).starts_with("PK\x03\x04") || as_text(file).starts_with("PK\x05\x06");
}

TorchContents read_torch(ByteView file, const std::string& key) {
  TorchZip zip(file);
  return {read_pickled(zip.pickle(), zip, key), zip.is_script()};
}

}  // namespace sealite::checkpoint

#include "checkpoint/legacy_torch.h"

#include <map>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/pickled_contents.h"
#include "checkpoint/unpickle.h"

namespace sealite::checkpoint {
namespace {

// 0x1950a86a20f9469cfc6c, torch/serialization.py: MAGIC_NUMBER; in binary, and as protocols 0 and 1 write it.
constexpr std::string_view kMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::string_view kMagicLine = "L119547037146038801333356L\n";
constexpr std::int64_t kLegacyVersion = 1001;
constexpr std::size_t kLongestMagic = 32;  // with the opcodes before it
// As of the one pickle in a zip; here nothing says how long one is. Those before the checkpoint have under
// 200.
constexpr std::size_t kMaxPickles = std::size_t{64} << 20U, kMaxHead = 4096;

class LegacyStorages : public StorageSource {
 public:
  // `rest` begins behind the last pickle, which listed `keys`.
  LegacyStorages(const Pickle& pickle, const Pickle& keys, ByteView rest) {
    std::map<std::string_view, const StorageRef*> named;
    for (const StorageRef& storage : pickle.storages) named.emplace(storage.key, &storage);
    for (const NodeId item : keys[keys.root].items) {
      const Node& key = keys[item];
      if (key.kind != NodeKind::kText) fail(ErrorCode::kMalformed, "the key of a storage is no text");
      const auto found = named.find(key.text);
      if (found == named.end())
        fail(ErrorCode::kMalformed, "storage '{}' is of no tensor", printable(key.text));
      const ByteView bytes = add_context(fmt::format("storage '{}'", printable(key.text)),
                                         [&] { return take(*found->second, rest); });
      if (!places_.emplace(found->first, bytes).second)
        fail(ErrorCode::kMalformed, "storage '{}' appears twice", printable(key.text));
    }
  }

  std::uint64_t size(const StorageRef& storage) const override { return bytes(storage).size(); }
  void prepare(const std::vector<const StorageRef*>& /*storages*/, Contents& /*contents*/) override {}
  ByteView bytes(const StorageRef& storage) const override {
    const auto found = places_.find(storage.key);
    if (found == places_.end())
      fail(ErrorCode::kMalformed, "its storage '{}' is not in the file", printable(storage.key));
    return found->second;
  }

 private:
  static ByteView take(const StorageRef& storage, ByteView& rest) {
    constexpr std::size_t kCount = sizeof(std::uint64_t);
    if (rest.size() < kCount) fail(ErrorCode::kMalformed, "the file ends early");
    const auto elements = load<std::uint64_t>(rest);
    const auto size = checked_multiply(elements, storage.element_bytes());
    if (!size || *size > rest.size() - kCount) {
      fail(ErrorCode::kMalformed,
           "{} elements of {} bytes are more than the {} bytes that follow; the download may be incomplete, "
           "fetch "
           "the file again",
           elements, storage.element_bytes(), rest.size() - kCount);
    }
    const ByteView bytes = rest.subspan(kCount, *size);
    rest = rest.subspan(kCount + *size);
    return bytes;
  }

  std::map<std::string_view, ByteView> places_;
};

// Whether this machine reads its numbers.
void check_system(const Pickle& system) {
  const Node& dict = system[system.root];
  const auto little = dict.kind == NodeKind::kDict ? system.find(dict, "little_endian") : std::nullopt;
  if (!little || system[*little].kind != NodeKind::kBool)
    fail(ErrorCode::kMalformed, "it does not say which order its bytes have");
  if (system[*little].integer == 0)
    fail(ErrorCode::kUnsupported, "the file was written on a big-endian machine; save it again on another");
}

}  // namespace

bool is_legacy_torch(ByteView file) {
  const std::string_view front = as_text(file.first(std::min(file.size(), kLongestMagic)));
  if (front.starts_with(kMagicLine)) return true;
  return front.starts_with('\x80') && front.find(kMagic) != std::string_view::npos;
}

Contents read_legacy_torch(ByteView file, const std::string& key) {
  ByteView rest = file;
  const auto next = [&](std::string_view what, std::size_t max = kMaxHead) {
    return add_context(what, [&] {
      ByteView front = rest.first(std::min(rest.size(), max));
      const std::size_t before = front.size();
      Pickle pickle = unpickle_front(front);
      rest = rest.subspan(before - front.size());
      return pickle;
    });
  };
  next("the magic number");
  const Pickle version = next("the version");
  if (version[version.root].kind != NodeKind::kInt || version[version.root].integer != kLegacyVersion)
    fail(ErrorCode::kUnsupported, "a version of the legacy torch format other than {}", kLegacyVersion);
  check_system(next("the properties of its machine"));
  Pickle pickle = next("the checkpoint", kMaxPickles);
  const Pickle keys = next("the keys of its storages", kMaxPickles);
  if (keys[keys.root].kind != NodeKind::kList)
    fail(ErrorCode::kMalformed, "the keys of its storages are no list");
  LegacyStorages storages(pickle, keys, rest);
  return read_pickled(std::move(pickle), storages, key);
}

}  // namespace sealite::checkpoint

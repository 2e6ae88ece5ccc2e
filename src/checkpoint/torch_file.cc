#include "checkpoint/torch_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/args.h"
#include "checkpoint/extent.h"
#include "checkpoint/pickle_value.h"
#include "checkpoint/unpickle.h"
#include "checkpoint/zip_index.h"

namespace sealite::checkpoint {
namespace {

// data.pkl of a full ChunkySeal file is about 300 KB.
constexpr std::size_t kMaxPickle = std::size_t{64} << 20U;
constexpr std::uint64_t kMaxValueVisits = std::uint64_t{1} << 24U;

class TorchReader {
 public:
  explicit TorchReader(ByteView file) : index_(read_zip_index(file)), folder_(find_folder()) {
    check_kind();
    const ZipEntry& entry = *find_entry("data.pkl");
    if (entry.bytes.size() > kMaxPickle) {
      fail(ErrorCode::kMalformed, "data.pkl has {} bytes, at most {} are expected", entry.bytes.size(),
           kMaxPickle);
    }
    check_crc("data.pkl", entry);
    pickle_ = unpickle(entry.bytes);
    last_visit_.resize(pickle_.nodes.size());
  }

  Contents read() {
    const Node& top = pickle_[pickle_.root];
    if (top.kind != NodeKind::kDict) {
      fail(ErrorCode::kUnsupported,
           "the file holds no dict but a single value; save the model's state_dict()");
    }
    Contents contents;
    const NodeId model = find_model();
    contents.tensors = read_tensors(pickle_[model]);
    if (model == pickle_.root) {
      contents.sections.push_back(measure("model", pickle_.root));
      contents.sections.back().is_model = true;
    } else {
      for (std::size_t i = 0; i + 1 < top.items.size(); i += 2) {
        const auto name = scalar_text(pickle_[top.items[i]]);
        contents.sections.push_back(measure(name.value_or("?"), top.items[i + 1]));
        contents.sections.back().is_model = top.items[i + 1] == model;
      }
    }
    read_args(top, contents);
    const auto epoch = pickle_.find(top, "epoch");
    if (epoch && pickle_[*epoch].kind == NodeKind::kInt) contents.epoch = pickle_[*epoch].integer;
    return contents;
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
    if (!folder) {
      fail(ErrorCode::kUnsupported,
           "a zip without NAME/data.pkl: not a torch checkpoint (is it a zip around one?)");
    }
    return *folder;
  }

  const ZipEntry* find_entry(std::string_view name) const {
    const auto found = index_.find(fmt::format("{}/{}", folder_, name));
    return found == index_.end() ? nullptr : &found->second;
  }

  void check_kind() const {
    const std::string code = folder_ + "/code/";
    const auto first = index_.lower_bound(code);
    if (find_entry("constants.pkl") != nullptr || (first != index_.end() && first->first.starts_with(code))) {
      fail(ErrorCode::kUnsupported,
           "a TorchScript archive holds a program; load it with torch.jit.load and save its state_dict()");
    }
    const ZipEntry* order = find_entry("byteorder");  // torch before 2.1 writes none: little
    if (order == nullptr || as_text(order->bytes) == "little") return;
    if (as_text(order->bytes) == "big") {
      fail(ErrorCode::kUnsupported, "the file was written on a big-endian machine; save it again on another");
    }
    fail(ErrorCode::kMalformed, "byte order '{}', expected 'little'", printable(as_text(order->bytes)));
  }

  NodeId find_model() const {
    const Node& top = pickle_[pickle_.root];
    for (const std::string_view key : {"model", "state_dict"}) {
      const auto value = pickle_.find(top, key);
      if (value && pickle_[*value].kind == NodeKind::kDict) return *value;
    }
    for (std::size_t i = 0; i + 1 < top.items.size(); i += 2) {
      if (pickle_[top.items[i + 1]].kind == NodeKind::kTensor) return pickle_.root;
    }
    fail(ErrorCode::kUnsupported,
         "no 'model' or 'state_dict' dict and no tensors at the top: {} other values", top.items.size() / 2);
  }

  TensorMap read_tensors(const Node& model) const {
    TensorMap tensors;
    for (std::size_t i = 0; i + 1 < model.items.size(); i += 2) {
      const Node& key = pickle_[model.items[i]];
      const Node& value = pickle_[model.items[i + 1]];
      if (value.kind != NodeKind::kTensor) continue;
      if (key.kind != NodeKind::kText) fail(ErrorCode::kMalformed, "a tensor of the model has no name");
      const auto where = fmt::format("tensor '{}'", printable(key.text));
      const TensorRef& ref = tensor_of(value);
      const ByteView bytes = add_context(where, [&] { return check_tensor(ref); });
      if (!ref.element->type) {
        fail(ErrorCode::kUnsupported, "{}: elements of type {}; save it as float32", where,
             ref.element->name);
      }
      TensorView view{*ref.element->type, ref.shape, ref.strides, bytes,
                      std::string(pickle_.storages[ref.storage].key)};
      if (!tensors.emplace(key.text, std::move(view)).second)
        fail(ErrorCode::kMalformed, "{} appears twice", where);
    }
    if (tensors.empty()) fail(ErrorCode::kUnsupported, "the model dict holds no tensors");
    return tensors;
  }

  const TensorRef& tensor_of(const Node& node) const {
    return pickle_.tensors[static_cast<std::size_t>(node.integer)];
  }

  // The entry of a storage; its size must be what the pickle says.
  ByteView storage_bytes(const StorageRef& storage) const {
    const ZipEntry* entry = find_entry(fmt::format("data/{}", storage.key));
    if (entry == nullptr)
      fail(ErrorCode::kMalformed, "its storage '{}' is not in the file", printable(storage.key));
    const std::uint64_t element_bytes = storage.element == nullptr ? 1 : storage.element->bytes;
    if (entry->bytes.size() / element_bytes != storage.elements) {
      fail(ErrorCode::kMalformed, "its storage '{}' has {} bytes, expected {} elements of {} bytes",
           printable(storage.key), entry->bytes.size(), storage.elements, element_bytes);
    }
    return entry->bytes;
  }

  // The bytes that a tensor reaches, after checking that they lie inside its storage.
  ByteView check_tensor(const TensorRef& tensor) const {
    const ByteView storage = storage_bytes(pickle_.storages[tensor.storage]);
    const std::uint64_t size = tensor.element->bytes;
    const std::uint64_t capacity = storage.size() / size;
    const auto reach = reached_elements(tensor.shape, tensor.strides);
    const auto count = element_count(tensor.shape);
    if (!reach || !count || tensor.offset < 0) {
      fail(ErrorCode::kMalformed, "impossible offset {}, shape {} or strides {}", tensor.offset,
           to_string(tensor.shape), to_string(tensor.strides));
    }
    const auto offset = static_cast<std::uint64_t>(tensor.offset);
    if (offset > capacity || *reach > capacity - offset) {
      fail(ErrorCode::kMalformed,
           "shape {} with strides {} at offset {} needs {} elements, its storage has {}",
           to_string(tensor.shape), to_string(tensor.strides), offset, *reach, capacity);
    }
    // Strides of 0 let a tiny file claim any size; no weight is saved so.
    if (*count > capacity) {
      fail(ErrorCode::kUnsupported,
           "shape {} repeats the {} elements of its storage; save it as .contiguous()",
           to_string(tensor.shape), capacity);
    }
    return storage.subspan(offset * size, *reach * size);
  }

  // Counts what hangs under `root`, each container once: values may be shared and may even form cycles.
  Section measure(std::string name, NodeId root) {
    Section section{.name = std::move(name)};
    std::set<std::string_view> storages;
    std::vector<NodeId> open{root};
    ++visit_;
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      if (++visits_ > kMaxValueVisits)
        fail(ErrorCode::kMalformed, "the pickle's values are too entangled to count");
      const Node& node = pickle_[id];
      if (node.kind == NodeKind::kTensor) {
        ++section.tensors;
        const TensorRef& tensor = tensor_of(node);
        if (storages.insert(pickle_.storages[tensor.storage].key).second) {
          section.bytes += add_context(fmt::format("a tensor of '{}'", printable(section.name)), [&] {
            return storage_bytes(pickle_.storages[tensor.storage]).size();
          });
        }
      } else if (last_visit_[id] != visit_) {
        last_visit_[id] = visit_;
        open.insert(open.end(), node.items.begin(), node.items.end());
      }
    }
    return section;
  }

  void read_args(const Node& top, Contents& contents) const {
    const auto value = pickle_.find(top, "args");
    if (!value) return;
    const Node& args = pickle_[*value];
    if (args.kind == NodeKind::kText) {
      contents.args = flatten_yaml(args.text);
      contents.plain_args = PlainValue::of_text(std::string(args.text));
    } else if (args.kind == NodeKind::kDict) {
      contents.args = flatten_dict(pickle_, args);
      contents.plain_args = plain_dict(pickle_, args, contents.dropped_args);
    }
  }

  ZipIndex index_;
  std::string folder_;
  Pickle pickle_;
  std::vector<std::uint32_t> last_visit_;  // by node: the last `measure` that came by
  std::uint32_t visit_ = 0;
  std::uint64_t visits_ = 0;
};

}  // namespace

bool is_zip(ByteView file) {
  return as_text(file).starts_with("PK\x03\x04") || as_text(file).starts_with("PK\x05\x06");
}

bool is_legacy_torch(ByteView file) {
  // PROTO 2, LONG1 of 10 bytes: 0x1950a86a20f9469cfc6c, torch/serialization.py: MAGIC_NUMBER.
  constexpr std::array<std::uint8_t, 14> kMagic{0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                                0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
  return file.size() >= kMagic.size() &&
         std::ranges::equal(file.first(kMagic.size()), std::as_bytes(std::span(kMagic)));
}

Contents read_torch(ByteView file) {
  return TorchReader(file).read();
}

}  // namespace sealite::checkpoint

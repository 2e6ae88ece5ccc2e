#include "checkpoint/pickled_contents.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/args.h"
#include "checkpoint/extent.h"
#include "checkpoint/find_weights.h"
#include "checkpoint/pickle_scalars.h"

namespace sealite::checkpoint {
namespace {

constexpr std::uint64_t kMaxValueVisits = std::uint64_t{1} << 24U;
constexpr std::size_t kMaxOpaqueNames = 32;  // of one section

struct NumpyCode {
  DType type;
  std::string_view code;
};

constexpr NumpyCode kNumpyCodes[] = {
    {DType::kFloat64, "f8"}, {DType::kFloat32, "f4"}, {DType::kFloat16, "f2"}, {DType::kInt64, "i8"},
    {DType::kInt32, "i4"},   {DType::kInt16, "i2"},   {DType::kInt8, "i1"},    {DType::kUInt64, "u8"},
    {DType::kUInt32, "u4"},  {DType::kUInt16, "u2"},  {DType::kUInt8, "u1"},   {DType::kBool, "b1"},
};

class ContentsReader {
 public:
  ContentsReader(Pickle pickle, StorageSource& source)
      : pickle_(std::move(pickle)), source_(source), last_visit_(pickle_.nodes.size()) {}

  Contents read(const std::string& key) {
    Contents contents;
    const FoundWeights weights = find_weights(pickle_, key);
    contents.name_prefix = weights.prefix;
    prepare(weights, contents);
    read_tensors(weights, contents);
    list_sections(weights, contents);
    note_choice(weights, contents);
    const Node& top = pickle_[pickle_.root];
    if (top.kind != NodeKind::kDict) return contents;
    read_args(contents);
    const auto epoch = pickle_.find(top, "epoch");
    if (epoch && pickle_[*epoch].kind == NodeKind::kInt) contents.epoch = pickle_[*epoch].integer;
    return contents;
  }

 private:
  const TensorRef& tensor_of(const Node& node) const {
    return pickle_.tensors[static_cast<std::size_t>(node.integer)];
  }
  const StorageRef& storage_of(const TensorRef& tensor) const { return pickle_.storages[tensor.storage]; }

  // Names the storages of the weights and of what in `args` is a tensor.
  void prepare(const FoundWeights& weights, Contents& contents) {
    std::vector<const StorageRef*> storages;
    std::set<std::string_view> keys;
    const auto add = [&](const Node& node) {
      if (node.kind != NodeKind::kTensor) return;
      const StorageRef& storage = storage_of(tensor_of(node));
      if (keys.insert(storage.key).second) storages.push_back(&storage);
    };
    for (const auto& [name, id] : weights.tensors) add(pickle_[id]);
    if (const auto args = find_args()) {
      const Node& dict = pickle_[*args];
      for (std::size_t i = 1; i < dict.items.size(); i += 2) add(pickle_[dict.items[i]]);
    }
    source_.prepare(storages, contents);
  }

  std::optional<NodeId> find_args() const {
    const Node& top = pickle_[pickle_.root];
    return top.kind == NodeKind::kDict ? pickle_.find(top, "args") : std::nullopt;
  }

  void read_tensors(const FoundWeights& weights, Contents& contents) const {
    for (const auto& [name, id] : weights.tensors) {
      const Node& value = pickle_[id];
      const auto where = fmt::format("tensor '{}'", printable(name));
      if (value.kind == NodeKind::kOpaque) {
        contents.unreadable.insert_or_assign(name, pickle_.opaque_name(value));
        continue;
      }
      const TensorRef& ref = tensor_of(value);
      if (!ref.element->type) {
        contents.unreadable.insert_or_assign(name, std::string(ref.element->name));
        continue;
      }
      const ByteView bytes = add_context(where, [&] { return check_tensor(ref); });
      TensorView view{*ref.element->type, ref.shape, ref.strides, bytes, std::string(storage_of(ref).key)};
      if (!contents.tensors.emplace(name, std::move(view)).second)
        fail(ErrorCode::kMalformed, "{} appears twice", where);
    }
    if (contents.tensors.empty()) fail(ErrorCode::kUnsupported, "the model dict holds no tensors");
  }

  // Its size must be what the pickle says.
  std::uint64_t check_storage(const StorageRef& storage) const {
    const std::uint64_t size = source_.size(storage);
    if (size / storage.element_bytes() != storage.elements) {
      fail(ErrorCode::kMalformed, "its storage '{}' has {} bytes, expected {} elements of {} bytes",
           printable(storage.key), size, storage.elements, storage.element_bytes());
    }
    return size;
  }

  // The bytes of a storage, or of the part of it that is meant.
  ByteView storage_bytes(const StorageRef& storage) const {
    check_storage(storage);
    const ByteView bytes = source_.bytes(storage);
    if (!storage.part) return bytes;
    const auto [begin, length] = *storage.part;
    if (begin > storage.elements || length > storage.elements - begin)
      fail(ErrorCode::kMalformed, "elements {} to {} + {} of its storage '{}', which has {}", begin, begin,
           length, printable(storage.key), storage.elements);
    return bytes.subspan(begin * storage.element_bytes(), length * storage.element_bytes());
  }

  // The bytes that a tensor reaches, after checking that they lie inside its storage. Strides of 0 let a tiny
  // file claim any size: what is written or read of it is limited where that is done (growth.h).
  ByteView check_tensor(const TensorRef& tensor) const {
    const ByteView storage = storage_bytes(storage_of(tensor));
    const std::uint64_t size = tensor.element->bytes;
    const std::uint64_t capacity = storage.size() / size;
    const auto reach = reached_elements(tensor.shape, tensor.strides);
    if (!reach || tensor.offset < 0) {
      fail(ErrorCode::kMalformed, "impossible offset {}, shape {} or strides {}", tensor.offset,
           to_string(tensor.shape), to_string(tensor.strides));
    }
    const auto offset = static_cast<std::uint64_t>(tensor.offset);
    if (offset > capacity || *reach > capacity - offset) {
      fail(ErrorCode::kMalformed,
           "shape {} with strides {} at offset {} needs {} elements, its storage has {}",
           to_string(tensor.shape), to_string(tensor.strides), offset, *reach, capacity);
    }
    return storage.subspan(offset * size, *reach * size);
  }

  void list_sections(const FoundWeights& weights, Contents& contents) {
    const Node& top = pickle_[pickle_.root];
    if (weights.key.empty()) {
      contents.sections.push_back(measure("model", pickle_.root));
      contents.sections.back().is_model = true;
      return;
    }
    for (std::size_t i = 0; i + 1 < top.items.size(); i += 2) {
      const std::string name = scalar_text(pickle_[top.items[i]]).value_or("?");
      contents.sections.push_back(measure(name, top.items[i + 1]));
      contents.sections.back().is_model = weights.key == name || weights.key.starts_with(name + ".");
    }
  }

  // Counts what hangs under `root`, each container once: values may be shared and may even form cycles.
  Section measure(std::string name, NodeId root) {
    Section section{.name = std::move(name)};
    std::set<std::string_view> storages;
    std::set<std::string> opaque;
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
        if (storages.insert(storage_of(tensor).key).second) {
          section.bytes += add_context(fmt::format("a tensor of '{}'", printable(section.name)),
                                       [&] { return check_storage(storage_of(tensor)); });
        }
      } else if (last_visit_[id] != visit_) {
        last_visit_[id] = visit_;
        if (is_opaque(node) && opaque.size() < kMaxOpaqueNames) opaque.insert(pickle_.opaque_name(node));
        open.insert(open.end(), node.items.begin(), node.items.end());
      }
    }
    section.opaque.assign(opaque.begin(), opaque.end());
    return section;
  }

  // Not a TorchScript's own classes: they are what it is made of.
  bool is_opaque(const Node& node) const {
    return (node.kind == NodeKind::kOpaque && !is_script_class(pickle_, node)) ||
           (node.kind == NodeKind::kGlobal && node.global == nullptr && !is_script_name(node));
  }
  bool is_script_name(const Node& node) const {
    return pickle_.names[static_cast<std::size_t>(node.integer)].module.starts_with("__torch__");
  }

  static void note_choice(const FoundWeights& weights, Contents& contents) {
    const bool usual = weights.key.empty() || weights.key == "model" || weights.key == "state_dict";
    if (usual && weights.others.empty()) return;
    std::string note = fmt::format("the weights are those of '{}'", weights.key.empty() ? "." : weights.key);
    if (!weights.others.empty())
      note += fmt::format("; there are others in '{}' (--key takes them)", fmt::join(weights.others, "', '"));
    contents.notes.push_back(std::move(note));
  }

  // A tensor without axes as a number.
  std::optional<Node> read_scalar(const TensorRef& tensor) const {
    if (!tensor.shape.empty() || !tensor.element->type) return std::nullopt;
    const ByteView bytes = check_tensor(tensor);
    if (tensor.element->type == DType::kBFloat16) {
      return Node{.kind = NodeKind::kFloat,
                  .real = static_cast<double>(bfloat16_to_float(load<std::uint16_t>(bytes)))};
    }
    const auto* found = std::ranges::find(kNumpyCodes, *tensor.element->type, &NumpyCode::type);
    return found == std::end(kNumpyCodes) ? std::nullopt : number_of(found->code, bytes);
  }

  void read_args(Contents& contents) {
    const auto value = find_args();
    if (!value) return;
    add_context("args", [&] {
      resolve_scalars(pickle_, *value, [&](const TensorRef& tensor) { return read_scalar(tensor); });
    });
    const Node& args = pickle_[*value];
    if (args.kind == NodeKind::kText) {
      contents.args = flatten_yaml(args.text);
      contents.plain_args = PlainValue::of_text(std::string(args.text));
    } else if (args.kind == NodeKind::kDict) {
      contents.args = flatten_dict(pickle_, args);
      contents.plain_args = plain_dict(pickle_, args, contents.dropped_args);
    } else if (args.kind == NodeKind::kOpaque) {
      contents.opaque_args = pickle_.opaque_name(args);
    }
  }

  Pickle pickle_;
  StorageSource& source_;
  std::vector<std::uint32_t> last_visit_;  // by node: the last `measure` that came by
  std::uint32_t visit_ = 0;
  std::uint64_t visits_ = 0;
};

}  // namespace

Contents read_pickled(Pickle pickle, StorageSource& source, const std::string& key) {
  return ContentsReader(std::move(pickle), source).read(key);
}

}  // namespace sealite::checkpoint

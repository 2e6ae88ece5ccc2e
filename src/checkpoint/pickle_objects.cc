#include "checkpoint/pickle_objects.h"

#include "base/error.h"
#include "base/utf8.h"

namespace sealite::checkpoint {
namespace {

// A full ChunkySeal trainer's file has about 15,000 nodes and 40,000 references.
constexpr std::size_t kMaxNodes = std::size_t{1} << 21U;
constexpr std::uint64_t kMaxReferences = std::uint64_t{1} << 24U;
constexpr std::size_t kMaxTorchRank = 64;  // torch's own limit

[[noreturn]] void fail_call(std::string_view what) {
  fail(ErrorCode::kMalformed, "broken pickle: {}", what);
}

}  // namespace

std::optional<NodeId> Pickle::find(const Node& dict, std::string_view key) const {
  for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {
    const Node& candidate = nodes[dict.items[i - 2]];
    if (candidate.kind == NodeKind::kText && candidate.text == key) return dict.items[i - 1];
  }
  return std::nullopt;
}

NodeId PickleBuilder::add(Node node) {
  if (pickle_.nodes.size() >= kMaxNodes) fail_call(fmt::format("more than {} values", kMaxNodes));
  pickle_.nodes.push_back(std::move(node));
  return static_cast<NodeId>(pickle_.nodes.size() - 1);
}

void PickleBuilder::charge(std::uint64_t references) {
  references_ += references;
  if (references_ > kMaxReferences) fail_call("it grows without end");
}

Pickle PickleBuilder::finish(NodeId root) && {
  pickle_.root = root;
  return std::move(pickle_);
}

const Node& PickleBuilder::argument(const Node& arguments, std::size_t index, NodeKind kind,
                                    std::string_view what) const {
  if (index < arguments.items.size()) {
    const Node& found = pickle_[arguments.items[index]];
    if (found.kind == kind) return found;
  }
  fail_call(fmt::format("argument {} of a call is not {}", index, what));
}

std::vector<std::int64_t> PickleBuilder::integers(const Node& tuple, std::string_view what) {
  if (tuple.items.size() > kMaxTorchRank) fail_call(fmt::format("{} of {} axes", what, tuple.items.size()));
  charge(tuple.items.size());
  std::vector<std::int64_t> values;
  for (const NodeId item : tuple.items) {
    if (pickle_[item].kind != NodeKind::kInt)
      fail_call(fmt::format("{} holds something else than integers", what));
    values.push_back(pickle_[item].integer);
  }
  return values;
}

NodeId PickleBuilder::call(NodeId callable, NodeId arguments_id) {
  // Copies: adding a node moves the others.
  const Node function = pickle_[callable];
  if (function.kind != NodeKind::kGlobal) fail_call("it calls something that is not a name");
  if (pickle_[arguments_id].kind != NodeKind::kTuple) fail_call("a call without an argument tuple");
  charge(pickle_[arguments_id].items.size());
  const Node arguments = pickle_[arguments_id];
  switch (function.global->kind) {
    case GlobalKind::kDict:
      return make_dict(arguments, 0);
    case GlobalKind::kDefaultDict:
      return make_dict(arguments, 1);
    case GlobalKind::kNamespace:
      return add({.kind = NodeKind::kDict, .is_namespace = true});
    case GlobalKind::kSet:
      return make_sequence(NodeKind::kSet, arguments);
    case GlobalKind::kList:
      return make_sequence(NodeKind::kList, arguments);
    case GlobalKind::kSize:
      return make_sequence(NodeKind::kTuple, arguments);
    case GlobalKind::kDevice: {
      const std::string_view name = argument(arguments, 0, NodeKind::kText, "a device's name").text;
      return add({.kind = NodeKind::kText, .text = name});
    }
    case GlobalKind::kTensorV2:
      return make_tensor(arguments, false);
    case GlobalKind::kTensorV3:
      return make_tensor(arguments, true);
    case GlobalKind::kParameter:
      argument(arguments, 0, NodeKind::kTensor, "a tensor");
      return arguments.items[0];
    case GlobalKind::kStorageType:
    case GlobalKind::kUntypedStorage:
    case GlobalKind::kDType:
      break;
  }
  fail_call(fmt::format("it calls {}.{}", function.global->module, function.global->name));
}

NodeId PickleBuilder::make_dict(const Node& arguments, std::size_t first) {
  Node dict{.kind = NodeKind::kDict};
  if (arguments.items.size() > first + 1) fail_call("a dict with too many arguments");
  if (arguments.items.size() == first + 1) {
    const Node& source = pickle_[arguments.items[first]];
    charge(2 * source.items.size());
    if (source.kind == NodeKind::kDict) {
      dict.items = source.items;
    } else if (source.kind == NodeKind::kList || source.kind == NodeKind::kTuple) {
      for (const NodeId item : source.items) {
        const Node& pair = pickle_[item];
        const bool sequence = pair.kind == NodeKind::kTuple || pair.kind == NodeKind::kList;
        if (!sequence || pair.items.size() != 2) fail_call("a dict made from something else than pairs");
        dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
      }
    } else {
      fail_call("a dict made from something else than pairs");
    }
  }
  return add(std::move(dict));
}

NodeId PickleBuilder::make_sequence(NodeKind kind, const Node& arguments) {
  Node sequence{.kind = kind};
  if (arguments.items.size() > 1) fail_call("a list or set with too many arguments");
  if (arguments.items.size() == 1) {
    const Node& source = pickle_[arguments.items[0]];
    const bool fits =
        source.kind == NodeKind::kList || source.kind == NodeKind::kTuple || source.kind == NodeKind::kSet;
    if (!fits) fail_call("a list or set made from something else");
    charge(source.items.size());
    sequence.items = source.items;
  }
  return add(std::move(sequence));
}

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata]);
// _rebuild_tensor_v3 has the element type as its seventh argument, its storage is untyped.
NodeId PickleBuilder::make_tensor(const Node& arguments, bool with_type) {
  const auto storage =
      static_cast<std::size_t>(argument(arguments, 0, NodeKind::kStorage, "a storage").integer);
  TensorRef tensor{.storage = storage, .element = pickle_.storages[storage].element};
  tensor.offset = argument(arguments, 1, NodeKind::kInt, "an offset").integer;
  tensor.shape = integers(argument(arguments, 2, NodeKind::kTuple, "a shape"), "a shape");
  tensor.strides = integers(argument(arguments, 3, NodeKind::kTuple, "strides"), "strides");
  if (with_type) {
    const Node& type = argument(arguments, 6, NodeKind::kGlobal, "an element type");
    if (type.global->kind != GlobalKind::kDType) fail_call("a tensor without an element type");
    tensor.element = type.global->element;
  }
  if (tensor.element == nullptr) fail_call("a tensor without an element type");
  if (tensor.shape.size() != tensor.strides.size()) {
    fail_call(
        fmt::format("a tensor with {} axes and {} strides", tensor.shape.size(), tensor.strides.size()));
  }
  pickle_.tensors.push_back(std::move(tensor));
  return add({.kind = NodeKind::kTensor, .integer = static_cast<std::int64_t>(pickle_.tensors.size() - 1)});
}

NodeId PickleBuilder::storage(NodeId identifier) {
  const Node parts = pickle_[identifier];
  charge(parts.items.size());
  if (parts.kind != NodeKind::kTuple || parts.items.size() != 5)
    fail_call("a persistent id that is no storage");
  const std::string_view word = argument(parts, 0, NodeKind::kText, "the word 'storage'").text;
  if (word != "storage") fail_call(fmt::format("a persistent id of kind '{}'", printable(word)));
  const Global& type = *argument(parts, 1, NodeKind::kGlobal, "a storage type").global;
  if (type.kind != GlobalKind::kStorageType && type.kind != GlobalKind::kUntypedStorage) {
    fail_call(fmt::format("a storage of type {}.{}", type.module, type.name));
  }
  const std::string_view key = argument(parts, 2, NodeKind::kText, "a storage key").text;
  const std::int64_t elements = argument(parts, 4, NodeKind::kInt, "a number of elements").integer;
  if (elements < 0) fail_call(fmt::format("storage '{}' has {} elements", printable(key), elements));
  pickle_.storages.push_back({key, type.element, static_cast<std::uint64_t>(elements)});
  return add({.kind = NodeKind::kStorage, .integer = static_cast<std::int64_t>(pickle_.storages.size() - 1)});
}

void PickleBuilder::build(NodeId target_id, NodeId state_id) {
  const Node& target = pickle_[target_id];
  if (target.kind != NodeKind::kDict && target.kind != NodeKind::kTensor) {
    fail_call("it sets attributes of something that has none");
  }
  if (!target.is_namespace) return;  // e.g. OrderedDict._metadata, the module versions of a state dict
  if (pickle_[state_id].kind != NodeKind::kDict) fail_call("a namespace whose attributes are no dict");
  charge(pickle_[state_id].items.size());
  const std::vector<NodeId> items = pickle_[state_id].items;  // a copy: state and target may be the same node
  Node& changed = pickle_.nodes[target_id];
  changed.items.insert(changed.items.end(), items.begin(), items.end());
}

}  // namespace sealite::checkpoint

#include "checkpoint/pickle_objects.h"

#include <charconv>

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/pickle_globals.h"

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

std::string OpaqueName::text() const {
  return fmt::format("{}.{}", module, name);
}

std::string Pickle::opaque_name(const Node& node) const {
  return names[static_cast<std::size_t>(node.integer)].text();
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

NodeId PickleBuilder::opaque_global(std::string_view module, std::string_view name) {
  const auto [at, fresh] = opaque_globals_.try_emplace({module, name}, 0);
  if (fresh) {
    pickle_.names.push_back({module, name});
    at->second =
        add({.kind = NodeKind::kGlobal, .integer = static_cast<std::int64_t>(pickle_.names.size() - 1)});
  }
  return at->second;
}

NodeId PickleBuilder::make_opaque(std::int64_t name, std::vector<NodeId> items) {
  return add({.kind = NodeKind::kOpaque, .integer = name, .items = std::move(items)});
}

NodeId PickleBuilder::call(NodeId callable, NodeId arguments_id) {
  const Global* const function = pickle_[callable].global;
  const std::int64_t name = pickle_[callable].integer;
  const NodeKind kind = pickle_[callable].kind;
  // What an opaque call gave may be called as well (a method, a partial application).
  const bool opaque = kind == NodeKind::kOpaque || (kind == NodeKind::kGlobal && function == nullptr);
  if (!opaque && kind != NodeKind::kGlobal) fail_call("it calls something that is not a name");
  if (pickle_[arguments_id].kind != NodeKind::kTuple) fail_call("a call without an argument tuple");
  charge(pickle_[arguments_id].items.size());
  const Node& arguments = pickle_[arguments_id];
  return opaque ? make_opaque(name, arguments.items) : call_known(*function, arguments);
}

NodeId PickleBuilder::call_with_names(NodeId callable, NodeId arguments, NodeId named) {
  if (pickle_[named].kind != NodeKind::kDict) fail_call("a call whose named arguments are no dict");
  const NodeId made = call(callable, arguments);
  if (pickle_[named].items.empty()) return made;
  if (pickle_[made].kind != NodeKind::kOpaque) fail_call("a call with named arguments");
  pickle_.nodes[made].items.push_back(named);
  return made;
}

NodeId PickleBuilder::call_known(const Global& global, const Node& arguments) {
  switch (global.kind) {
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
    case GlobalKind::kBytes:
      return make_bytes(arguments);
    case GlobalKind::kEncode:
      return encode(arguments);
    case GlobalKind::kTensorV2:
      return make_tensor(arguments, false);
    case GlobalKind::kTensorV3:
      return make_tensor(arguments, true);
    case GlobalKind::kParameter: {
      if (arguments.items.empty()) fail_call("a parameter of nothing");
      const NodeKind kind = pickle_[arguments.items[0]].kind;
      // A parameter may be of a kind of tensor that is opaque.
      if (kind != NodeKind::kTensor && kind != NodeKind::kOpaque)
        fail_call("argument 0 of a call is not a tensor");
      return arguments.items[0];
    }
    case GlobalKind::kFromType:
      return make_from_type(arguments);
    case GlobalKind::kStorageType:
    case GlobalKind::kUntypedStorage:
    case GlobalKind::kDType:
      break;
  }
  fail_call(fmt::format("it calls {}.{}", global.module, global.name));
}

NodeId PickleBuilder::make_bytes(const Node& arguments) {
  if (arguments.items.empty()) return add({.kind = NodeKind::kBytes});
  const Node& source = pickle_[arguments.items[0]];
  if (source.kind == NodeKind::kBytes) return arguments.items[0];
  if (source.kind == NodeKind::kText) return encode(arguments);  // bytearray(text, "latin-1")
  fail_call("bytes made from something else");
}

// Protocol 2 has no word for bytes: each is a letter of a text.
NodeId PickleBuilder::encode(const Node& arguments) {
  std::string_view text = argument(arguments, 0, NodeKind::kText, "a text").text;
  const std::string_view encoding = argument(arguments, 1, NodeKind::kText, "an encoding").text;
  if (encoding != "latin1" && encoding != "latin-1")
    fail_call(fmt::format("bytes in the encoding '{}'", printable(encoding)));
  std::string bytes;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool narrow = length == 1 || (length == 2 && first <= 0xC3);
    if (!narrow) fail_call("bytes from a letter above 255");
    const auto last = static_cast<unsigned char>(text[length - 1]);
    bytes += static_cast<char>(length == 1 ? first : ((first & 0x03U) << 6U) | (last & 0x3FU));
    text.remove_prefix(length);
  }
  return add({.kind = NodeKind::kBytes, .text = pickle_.texts.emplace_back(std::move(bytes))});
}

// _rebuild_from_type_v2(function, class, arguments, attributes): a tensor with attributes, or of a class of
// its own, whose numbers are those of the plain tensor.
NodeId PickleBuilder::make_from_type(const Node& arguments) {
  if (arguments.items.size() != 4) fail_call("a tensor of a class of its own, without its parts");
  const Global* function = pickle_[arguments.items[0]].global;
  // One inside another, and so on, would fill the call stack.
  if (function != nullptr && function->kind == GlobalKind::kFromType)
    fail_call("a tensor of a class of its own, inside another");
  return call(arguments.items[0], arguments.items[2]);
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

// _rebuild_tensor(storage, offset, shape, strides);
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
    if (type.global == nullptr) return make_opaque(type.integer, arguments.items);
    if (type.global->kind != GlobalKind::kDType) fail_call("a tensor without an element type");
    tensor.element = type.global->element;
  }
  if (tensor.element == nullptr) fail_call("a tensor without an element type");
  if (tensor.shape.size() != tensor.strides.size()) {
    fail_call(
        fmt::format("a tensor with {} axes and {} strides", tensor.shape.size(), tensor.strides.size()));
  }
  const std::size_t metadata = with_type ? 7 : 6;
  if (arguments.items.size() > metadata && pickle_[arguments.items[metadata]].kind == NodeKind::kDict &&
      !pickle_[arguments.items[metadata]].items.empty()) {
    // Its numbers are not those of its storage, but negated or conjugated.
    return make_opaque(pickle_[opaque_global("torch", "Tensor")].integer, arguments.items);
  }
  pickle_.tensors.push_back(std::move(tensor));
  return add({.kind = NodeKind::kTensor, .integer = static_cast<std::int64_t>(pickle_.tensors.size() - 1)});
}

NodeId PickleBuilder::add_storage(StorageRef storage) {
  pickle_.storages.push_back(storage);
  return add({.kind = NodeKind::kStorage, .integer = static_cast<std::int64_t>(pickle_.storages.size() - 1)});
}

NodeId PickleBuilder::storage(NodeId identifier) {
  const Node& parts = pickle_[identifier];
  charge(parts.items.size());
  if (parts.kind != NodeKind::kTuple || parts.items.empty()) fail_call("a persistent id that is no storage");
  const std::string_view word = argument(parts, 0, NodeKind::kText, "the word 'storage'").text;
  // ("module", CLASS, FILE, SOURCE): old files say so of a pickled class, to warn if its source has changed.
  if (word == "module" && parts.items.size() == 4) return parts.items[1];
  if (word != "storage") fail_call(fmt::format("a persistent id of kind '{}'", printable(word)));
  if (parts.items.size() < 5 || parts.items.size() > 6) fail_call("a persistent id that is no storage");
  const Node& type_node = argument(parts, 1, NodeKind::kGlobal, "a storage type");
  if (type_node.global == nullptr)
    fail_call(fmt::format("a storage of type {}", printable(pickle_.opaque_name(type_node))));
  const Global& type = *type_node.global;
  if (type.kind != GlobalKind::kStorageType && type.kind != GlobalKind::kUntypedStorage) {
    fail_call(fmt::format("a storage of type {}.{}", type.module, type.name));
  }
  const std::string_view key = argument(parts, 2, NodeKind::kText, "a storage key").text;
  const std::int64_t elements = argument(parts, 4, NodeKind::kInt, "a number of elements").integer;
  if (elements < 0) fail_call(fmt::format("storage '{}' has {} elements", printable(key), elements));
  StorageRef storage{.key = key, .element = type.element, .elements = static_cast<std::uint64_t>(elements)};
  if (parts.items.size() == 6 && pickle_[parts.items[5]].kind != NodeKind::kNone) {
    const Node& part = argument(parts, 5, NodeKind::kTuple, "a part of a storage");
    const std::int64_t begin = argument(part, 1, NodeKind::kInt, "where the part begins").integer;
    const std::int64_t length = argument(part, 2, NodeKind::kInt, "the part's length").integer;
    if (begin < 0 || length < 0) fail_call("a part of a storage that is not inside it");
    storage.part.emplace(begin, length);
  }
  return add_storage(storage);
}

// "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 2)"
NodeId PickleBuilder::storage_of_text(std::string_view identifier) {
  constexpr std::string_view kStart = "('storage', <class 'torch.", kAfterType = "'>, '", kAfterKey = "', '",
                             kAfterPlace = "', ";
  const auto take_until = [&](std::string_view mark) {
    const std::size_t at = identifier.find(mark);
    if (at == std::string_view::npos) fail_call("a persistent id that is no storage");
    const std::string_view found = identifier.substr(0, at);
    identifier.remove_prefix(at + mark.size());
    return found;
  };
  if (!take_until(kStart).empty()) fail_call("a persistent id that is no storage");
  const std::string_view type = take_until(kAfterType);
  const std::string_view key = take_until(kAfterKey);
  take_until(kAfterPlace);
  const std::string_view number = identifier.substr(0, identifier.find_first_of(",)"));
  std::uint64_t elements = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), elements);
  const Global* global =
      type == "storage.UntypedStorage" ? find_global("torch", "UntypedStorage") : find_global("torch", type);
  const bool known = global != nullptr && (global->kind == GlobalKind::kStorageType ||
                                           global->kind == GlobalKind::kUntypedStorage);
  if (!known || error != std::errc() || end != number.data() + number.size())
    fail_call("a persistent id that is no storage");
  return add_storage({.key = key, .element = global->element, .elements = elements});
}

// torch before 0.4 writes an empty tensor, and what it is made of as its state: (storage, offset, shape,
// strides).
bool PickleBuilder::make_old_tensor(NodeId target, const Node& state) {
  const OpaqueName& name = pickle_.names[static_cast<std::size_t>(pickle_[target].integer)];
  const bool tensor = (name.module == "torch" || name.module == "torch.cuda") &&
                      name.name.ends_with("Tensor") && state.kind == NodeKind::kTuple &&
                      state.items.size() == 4 && pickle_[state.items[0]].kind == NodeKind::kStorage;
  if (!tensor) return false;
  const NodeId made = make_tensor(state, false);
  pickle_.nodes[target] = pickle_[made];
  return true;
}

void PickleBuilder::build(NodeId target_id, NodeId state_id) {
  const NodeKind kind = pickle_[target_id].kind;
  if (kind == NodeKind::kOpaque) {
    const Node state = pickle_[state_id];
    charge(state.items.size());
    if (make_old_tensor(target_id, state)) return;
    Node& target = pickle_.nodes[target_id];
    target.state = state_id;
    target.items.push_back(state_id);
    return;
  }
  if (kind != NodeKind::kDict && kind != NodeKind::kTensor)
    fail_call("it sets attributes of something that has none");
  // e.g. OrderedDict._metadata, the module versions of a state dict
  if (!pickle_[target_id].is_namespace) return;
  if (pickle_[state_id].kind != NodeKind::kDict) fail_call("a namespace whose attributes are no dict");
  charge(pickle_[state_id].items.size());
  const std::vector<NodeId> items = pickle_[state_id].items;  // a copy: state and target may be the same node
  Node& changed = pickle_.nodes[target_id];
  changed.items.insert(changed.items.end(), items.begin(), items.end());
}

}  // namespace sealite::checkpoint

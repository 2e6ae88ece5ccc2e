#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::checkpoint {

/// An element type of torch storages; those that Sealite has no numbers for (complex64, qint8, …) have no
/// `type`.
struct ElementType {
  std::string_view name;  ///< "float32", "qint8", …
  std::uint8_t bytes = 0;
  std::optional<DType> type;
};

/// What a name inside a pickle may stand for. Every other name is opaque: kept, with what it was to be called
/// with, and nothing else.
enum class GlobalKind : std::uint8_t {
  kDict,         // OrderedDict, dict
  kDefaultDict,  // its first argument is a factory
  kNamespace,    // argparse.Namespace: a dict whose items come from BUILD
  kSet,
  kList,
  kSize,
  kDevice,
  kBytes,     // bytes and bytearray, of bytes or of nothing
  kEncode,    // a text and "latin1": how protocol 2 writes bytes
  kTensorV2,  // also _rebuild_tensor, whose four arguments are the first ones of its successor's
  kTensorV3,
  kParameter,  // what gives back its first argument, a tensor
  kFromType,   // (function, class, arguments, attributes): a tensor with attributes
  kStorageType,
  kUntypedStorage,
  kDType
};

struct Global {
  std::string_view module;
  std::string_view name;
  GlobalKind kind;
  const ElementType* element = nullptr;  ///< Of storage and element types.
};

/// Index of a node in `Pickle::nodes`. Nodes refer to each other by index, so that neither nesting nor cycles
/// can overflow the call stack when a pickle is built, walked or destroyed.
using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kBigInt,
  kFloat,
  kText,
  kBytes,
  kTuple,
  kList,
  kDict,
  kSet,
  kGlobal,
  kStorage,
  kTensor,
  kOpaque
};

struct Node {
  NodeKind kind = NodeKind::kNone;
  bool is_namespace = false;
  NodeId state = 0;                ///< kOpaque: what BUILD gave it last, the None node if nothing.
  std::int64_t integer = 0;        ///< kInt, kBool; index into storages, tensors or names.
  double real = 0;                 ///< kFloat
  std::string_view text{};         ///< kText (UTF-8), kBytes, kBigInt; looks into the pickle or `texts`.
  std::vector<NodeId> items{};     ///< kTuple, kList, kSet, kOpaque; kDict: key, value, key, value, …
  const Global* global = nullptr;  ///< kGlobal; nullptr: an opaque one, `integer` is its name's index.
};

/// What a pickle calls something that Sealite has no use for: a class or a function. Looks into the pickle.
struct OpaqueName {
  std::string_view module;
  std::string_view name;

  std::string text() const;  ///< "pathlib.PosixPath"
};

/// A storage that the pickle names: the entry `data/KEY` beside it, or a block behind it.
struct StorageRef {
  std::string_view key;
  const ElementType* element = nullptr;  ///< nullptr: untyped, `elements` counts bytes.
  std::uint64_t elements = 0;            ///< Of the whole storage.
  /// Old files have storages that are a part of another: where it begins, and its length, in elements.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> part{};

  std::uint64_t element_bytes() const { return element == nullptr ? 1 : element->bytes; }
};

/// A tensor as the pickle describes it; nothing is checked against its storage yet.
struct TensorRef {
  std::size_t storage = 0;  ///< index into Pickle::storages
  const ElementType* element = nullptr;
  std::int64_t offset = 0;  ///< in elements
  Shape shape{};
  std::vector<std::int64_t> strides{};  ///< in elements
};

struct Pickle {
  std::deque<Node> nodes;  ///< They stay where they are: references outlive further ones.
  std::vector<OpaqueName> names;
  std::deque<std::string> texts;  ///< Those that do not stand in the pickle as they are.
  std::vector<StorageRef> storages;
  std::vector<TensorRef> tensors;
  NodeId root = 0;

  const Node& operator[](NodeId id) const { return nodes[id]; }
  /// Value of the text key `key` in a dict; nothing if absent. The last one wins, as in Python.
  std::optional<NodeId> find(const Node& dict, std::string_view key) const;
  /// Of a kOpaque node, or of a kGlobal that is opaque.
  std::string opaque_name(const Node& node) const;
};

}  // namespace sealite::checkpoint

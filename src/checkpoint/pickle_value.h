#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace sealite::checkpoint {

/// An element type of torch storages; those that Sealite cannot read (float64, …) have no `type`.
struct ElementType {
  std::string_view name;  ///< "float32", "float64", …
  std::uint8_t bytes = 0;
  std::optional<DType> type;
};

/// What a name inside a pickle may stand for. There is nothing else that a pickle can ask for.
enum class GlobalKind : std::uint8_t {
  kDict,         // OrderedDict, dict
  kDefaultDict,  // its first argument is a factory
  kNamespace,    // argparse.Namespace: a dict whose items come from BUILD
  kSet,
  kList,
  kSize,
  kDevice,
  kTensorV2,
  kTensorV3,
  kParameter,
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
  kTensor
};

struct Node {
  NodeKind kind = NodeKind::kNone;
  bool is_namespace = false;
  std::int64_t integer = 0;        ///< kInt, kBool; index into storages or tensors.
  double real = 0;                 ///< kFloat
  std::string_view text{};         ///< kText (UTF-8), kBytes, kBigInt; looks into the pickle.
  std::vector<NodeId> items{};     ///< kTuple, kList, kSet; kDict: key, value, key, value, …
  const Global* global = nullptr;  ///< kGlobal
};

/// A storage that the pickle names: the entry `data/KEY` beside it.
struct StorageRef {
  std::string_view key;
  const ElementType* element = nullptr;  ///< nullptr: untyped, `elements` counts bytes.
  std::uint64_t elements = 0;
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
  std::vector<Node> nodes;
  std::vector<StorageRef> storages;
  std::vector<TensorRef> tensors;
  NodeId root = 0;

  const Node& operator[](NodeId id) const { return nodes[id]; }
  /// Value of the text key `key` in a dict; nothing if absent. The last one wins, as in Python.
  std::optional<NodeId> find(const Node& dict, std::string_view key) const;
};

}  // namespace sealite::checkpoint

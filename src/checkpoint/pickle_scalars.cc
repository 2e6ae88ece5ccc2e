#include "checkpoint/pickle_scalars.h"

#include <charconv>
#include <cmath>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/dtype.h"

namespace sealite::checkpoint {
namespace {

const OpaqueName& name_of(const Pickle& pickle, const Node& node) {
  return pickle.names[static_cast<std::size_t>(node.integer)];
}

// numpy.dtype("f8", False, True) with the state (3, "<", …): "f8", if the bytes have this machine's order.
std::string_view numpy_type(const Pickle& pickle, const Node& type) {
  if (type.kind != NodeKind::kOpaque || type.items.empty()) return {};
  const OpaqueName& name = name_of(pickle, type);
  const Node& text = pickle[type.items[0]];
  const Node& state = pickle[type.state];
  if (name.module != "numpy" || name.name != "dtype" || text.kind != NodeKind::kText) return {};
  if (state.kind == NodeKind::kTuple && state.items.size() > 1) {
    const Node& order = pickle[state.items[1]];
    if (order.kind != NodeKind::kText || order.text == ">") return {};
  }
  return text.text;
}

// numpy.core.multiarray.scalar(dtype, bytes); the module's name has changed with NumPy 2.
std::optional<Node> numpy_scalar(const Pickle& pickle, const Node& node) {
  const OpaqueName& name = name_of(pickle, node);
  const bool scalar = name.name == "scalar" &&
                      (name.module == "numpy.core.multiarray" || name.module == "numpy._core.multiarray");
  if (!scalar || node.items.size() != 2) return std::nullopt;
  const Node& value = pickle[node.items[1]];
  if (value.kind != NodeKind::kBytes && value.kind != NodeKind::kText) return std::nullopt;
  return number_of(numpy_type(pickle, pickle[node.items[0]]), as_bytes(value.text));
}

// OmegaConf's nodes hold what they stand for under one of two names.
std::optional<NodeId> configuration_value(const Pickle& pickle, const Node& node) {
  const Node& state = pickle[node.state];
  if (!name_of(pickle, node).module.starts_with("omegaconf.") || state.kind != NodeKind::kDict)
    return std::nullopt;
  if (const auto content = pickle.find(state, "_content")) return content;
  return pickle.find(state, "_val");
}

template <typename T>
Node number_node(ByteView bytes) {
  const T value = load<T>(bytes);
  if constexpr (std::is_integral_v<T>) {
    if (std::in_range<std::int64_t>(value))
      return {.kind = NodeKind::kInt, .integer = static_cast<std::int64_t>(value)};
  }
  return {.kind = NodeKind::kFloat, .real = static_cast<double>(value)};
}

// The shortest decimal number that is this float32: who wrote tensor(1.4) meant 1.4, not 1.399999976.
Node float_node(ByteView bytes) {
  const auto value = load<float>(bytes);
  char text[32];
  const auto written = std::to_chars(std::begin(text), std::end(text), value);
  double real = static_cast<double>(value);
  if (std::isfinite(value)) std::from_chars(text, written.ptr, real);
  return {.kind = NodeKind::kFloat, .real = real};
}

Node half_node(ByteView bytes) {
  return {.kind = NodeKind::kFloat, .real = static_cast<double>(half_to_float(load<std::uint16_t>(bytes)))};
}

Node bool_node(ByteView bytes) {
  return {.kind = NodeKind::kBool, .integer = load<std::uint8_t>(bytes) != 0 ? 1 : 0};
}

struct NumberType {
  std::string_view name;
  std::size_t size;
  Node (*read)(ByteView bytes);
};

constexpr NumberType kNumberTypes[] = {
    {"f8", 8, number_node<double>},
    {"f4", 4, float_node},
    {"f2", 2, half_node},
    {"i8", 8, number_node<std::int64_t>},
    {"i4", 4, number_node<std::int32_t>},
    {"i2", 2, number_node<std::int16_t>},
    {"i1", 1, number_node<std::int8_t>},
    {"u8", 8, number_node<std::uint64_t>},
    {"u4", 4, number_node<std::uint32_t>},
    {"u2", 2, number_node<std::uint16_t>},
    {"u1", 1, number_node<std::uint8_t>},
    {"b1", 1, bool_node},
};

}  // namespace

std::optional<Node> number_of(std::string_view type, ByteView bytes) {
  for (const NumberType& known : kNumberTypes) {
    if (known.name == type && known.size == bytes.size()) return known.read(bytes);
  }
  return std::nullopt;
}

void resolve_scalars(Pickle& pickle, NodeId root, const ReadScalar& read_tensor) {
  // A configuration is copied out of its nodes; shared ones could be copied any number of times.
  constexpr std::size_t kMaxCopied = std::size_t{1} << 20U;
  std::size_t copied = 0;
  std::vector<bool> seen(pickle.nodes.size());
  std::vector<NodeId> open{root};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    const Node& node = pickle[id];
    std::optional<Node> plain;
    if (node.kind == NodeKind::kTensor) {
      plain = read_tensor(pickle.tensors[static_cast<std::size_t>(node.integer)]);
    } else if (node.kind == NodeKind::kOpaque) {
      plain = numpy_scalar(pickle, node);
      if (const auto value = configuration_value(pickle, node)) {
        copied += pickle[*value].items.size();
        if (copied <= kMaxCopied) plain = pickle[*value];
      }
    }
    if (plain) pickle.nodes[id] = *std::move(plain);
    const Node& found = pickle[id];
    if (found.kind == NodeKind::kDict || found.kind == NodeKind::kList || found.kind == NodeKind::kTuple)
      open.insert(open.end(), found.items.begin(), found.items.end());
  }
}

}  // namespace sealite::checkpoint

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "passes/rules.h"

namespace sealite::passes {
namespace {

using graph::BinaryKind;
using graph::Mark;

// Below this the hidden activation is as fast whole (measured, docs/log/2026-11-performance.md).
constexpr std::uint64_t kFewestElements = std::uint64_t{8} << 20U;  // 32 MiB
// A strip that stays, with what is made of it, in the caches.
constexpr std::uint64_t kStripElements = std::uint64_t{3} << 19U;  // 6 MiB
constexpr std::uint64_t kMostStrips = 64;
constexpr std::size_t kMostJoined = 4;  // inputs of a CONCATENATION that XNNPACK takes

bool is_product(const Node* node) {
  return node != nullptr && std::holds_alternative<graph::FullyConnected>(node->op);
}

// The nodes on the ways from value `from` to value `to`, in an order in which they can run; nothing if `to`
// depends on anything else that is not a constant.
std::optional<std::vector<Node>> between(const Graph& graph, ValueId from, ValueId to) {
  std::vector<bool> needed(graph.value_count(), false);
  needed[static_cast<std::size_t>(to)] = true;
  std::vector<Node> found;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!needed[static_cast<std::size_t>(node->output)] || node->output == from) continue;
    found.push_back(*node);
    for (const ValueId id : node->inputs) needed[static_cast<std::size_t>(id)] = true;
  }
  if (!needed[static_cast<std::size_t>(from)]) return std::nullopt;
  for (const ValueId id : graph.inputs) {
    if (needed[static_cast<std::size_t>(id)] && id != from) return std::nullopt;
  }
  std::ranges::reverse(found);
  return found;
}

// Whether each pixel of the node's output depends on the same pixel of its inputs only.
bool is_pixelwise(const Graph& graph, const Node& node, const Shape& picture) {
  const auto* reduce = std::get_if<graph::Reduce>(&node.op);
  const bool kind = is_product(&node) || std::holds_alternative<graph::Unary>(node.op) ||
                    std::holds_alternative<graph::Binary>(node.op) ||
                    (reduce != nullptr && reduce->axes == std::vector<int>{3} && reduce->keep_dims);
  const auto fits = [&](ValueId id) {
    const Shape& shape = graph.shape(id);
    if (graph.value(id).source) return shape.size() < 3;
    return shape.size() == 4 && std::equal(shape.begin(), shape.begin() + 3, picture.begin());
  };
  return kind && fits(node.output) && std::ranges::all_of(node.inputs, fits);
}

// From a block's input to the product behind its lowered GRN.
struct Block {
  ValueId x;                    // the block's input
  ValueId hidden;               // the GRN's
  ValueId sums;                 // of the GRN
  graph::Op scaling;            // hidden * scale
  std::vector<Node> to_hidden;  // from x
  std::vector<Node> to_scale;   // from the sums
};

// The value with this mark that `id` is made of, by the nodes' first inputs.
std::optional<ValueId> back_to(const Graph& graph, Mark mark, ValueId id) {
  while (graph.value(id).mark != mark) {
    const Node* node = graph.producer(id);
    if (node == nullptr) return std::nullopt;
    id = node->inputs[0];
  }
  return id;
}

std::optional<Block> find_block(const Graph& graph, const Node& last) {
  if (!is_product(&last) || graph.shape(last.output).size() != 4) return std::nullopt;
  const Node* product = sole_producer<graph::Binary>(graph, last);
  if (product == nullptr || graph.value(product->inputs[1]).mark != Mark::kGrnScale) return std::nullopt;
  const auto [hidden, scale] = std::pair(product->inputs[0], product->inputs[1]);
  if (element_count(graph.shape(hidden)) < kFewestElements) return std::nullopt;
  // The GRN reads it thrice: twice for its square, and for the product.
  if (graph.use_count(hidden) != 3) return std::nullopt;
  const auto x = back_to(graph, Mark::kBlockInput, hidden);
  const auto sums = back_to(graph, Mark::kGrnSums, scale);
  if (!x || !sums) return std::nullopt;
  auto to_hidden = between(graph, *x, hidden);
  auto to_scale = between(graph, *sums, scale);
  if (!to_hidden || !to_scale) return std::nullopt;
  const bool pixelwise = std::ranges::all_of(
      *to_hidden, [&](const Node& node) { return is_pixelwise(graph, node, graph.shape(*x)); });
  if (!pixelwise) return std::nullopt;
  return Block{*x, hidden, *sums, product->op, std::move(*to_hidden), std::move(*to_scale)};
}

// LiteRT packs a filter once for each product that reads it, unless there is a weight cache.
std::uint64_t bytes_of_filters(const Graph& graph, const Block& block, const Node& last) {
  const auto bytes = [&](const Node& node) -> std::uint64_t {
    const graph::SourcePtr& source = graph.value(node.inputs[1]).source;
    return source ? source->bytes_per_row() * static_cast<std::uint64_t>(source->row_count()) : 0;
  };
  std::uint64_t sum = bytes(last);
  for (const Node& node : block.to_hidden) {
    if (is_product(&node)) sum += bytes(node);
  }
  return sum;
}

class Strips {
 public:
  Strips(Builder& patch, std::int64_t count) : patch_(patch), count_(count) {}

  // `nodes` once more, with "SUFFIX" behind their names and `replaced` in the places of what they read.
  ValueId copy(const std::vector<Node>& nodes, std::map<ValueId, ValueId> replaced,
               const std::string& suffix) {
    for (const Node& node : nodes) {
      std::vector<ValueId> inputs = node.inputs;
      for (ValueId& id : inputs) {
        if (const auto found = replaced.find(id); found != replaced.end()) id = found->second;
      }
      replaced[node.output] = patch_.add(node.name + suffix, node.op, std::move(inputs));
    }
    return replaced.at(nodes.back().output);
  }

  ValueId slice(const std::string& name, ValueId x, std::int64_t strip) {
    const std::int64_t height = patch_.shape(x)[1];
    const std::int64_t first = strip * height / count_;
    const std::int64_t rows = (strip + 1) * height / count_ - first;
    return patch_.add(name, graph::Slice{{0, first, 0, 0}, {-1, rows, -1, -1}}, {x});
  }

  ValueId join(const std::string& name, std::vector<ValueId> parts) {
    for (int level = 0; parts.size() > 1; ++level) {
      std::vector<ValueId> fewer;
      for (std::size_t i = 0; i < parts.size(); i += kMostJoined) {
        const auto first = parts.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last =
            parts.begin() + static_cast<std::ptrdiff_t>(std::min(parts.size(), i + kMostJoined));
        // The last one stands for the whole: it has the node's own name.
        const std::string part =
            parts.size() <= kMostJoined ? name : fmt::format("{}.joined{}.{}", name, level, i / kMostJoined);
        fewer.push_back(last - first == 1 ? *first
                                          : patch_.add(part, graph::Concatenation{1}, {first, last}));
      }
      parts = std::move(fewer);
    }
    return parts[0];
  }

 private:
  Builder& patch_;
  std::int64_t count_;
};

}  // namespace

// Everything between a block's input and the product behind its GRN works on each pixel by itself, but for
// the GRN's sums, which are sums of the strips' sums. The strips share their filters.
std::optional<ValueId> strip_hidden(const Graph& graph, const Node& node, Builder& patch) {
  const std::optional<Block> block = find_block(graph, node);
  if (!block) return std::nullopt;
  const std::uint64_t elements = element_count(graph.shape(block->hidden)).value_or(0);
  const std::uint64_t wanted = std::min(kMostStrips, (elements + kStripElements - 1) / kStripElements);
  const std::int64_t count = std::min(graph.shape(block->hidden)[1], static_cast<std::int64_t>(wanted));
  const std::uint64_t copies = static_cast<std::uint64_t>(count) * bytes_of_filters(graph, *block, node);
  if (count < 2 || copies > elements * sizeof(float)) return std::nullopt;

  Strips strips(patch, count);
  std::vector<ValueId> parts;
  const std::string& sums = graph.value(block->sums).name;
  ValueId sum{};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string strip = fmt::format(".strip{}", i);
    const ValueId x = strips.slice(graph.value(block->x).name + strip, block->x, i);
    const ValueId part = strips.copy(block->to_hidden, {{block->x, x}}, strip);
    parts.push_back(part);
    const ValueId squares =
        patch.binary(fmt::format("{}.squares{}", sums, strip), BinaryKind::kMul, part, part);
    const ValueId more =
        patch.add(sums + strip, graph::Reduce{graph::ReduceKind::kSum, {1, 2}, true}, {squares});
    sum = i == 0 ? more : patch.binary(fmt::format("{}.plus{}", sums, strip), BinaryKind::kAdd, sum, more);
  }
  const ValueId scale = strips.copy(block->to_scale, {{block->sums, sum}}, ".whole");
  const std::string& scaled = graph.value(node.inputs[0]).name;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string strip = fmt::format(".strip{}", i);
    ValueId& part = parts[static_cast<std::size_t>(i)];
    part = patch.add(scaled + strip, block->scaling, {part, scale});
    part = patch.add(node.name + strip, node.op, {part, node.inputs[1], node.inputs[2]});
  }
  return strips.join(node.name, std::move(parts));
}

}  // namespace sealite::passes

#include "model_file/run_memory.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <variant>

#include "base/bytes.h"

namespace sealite::model_file {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

constexpr std::uint64_t kTooMuch = std::numeric_limits<std::uint64_t>::max();

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return checked_multiply(a, b).value_or(kTooMuch);
}
std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return checked_add(a, b).value_or(kTooMuch);
}

std::uint64_t bytes_of(const Graph& graph, ValueId id) {
  return times(element_count(graph.shape(id)).value_or(kTooMuch), sizeof(float));
}

// Pixels of a node's output, NHWC.
std::uint64_t pixels(const Graph& graph, const Node& node) {
  const Shape& shape = graph.shape(node.output);
  return element_count({shape[0], shape[1], shape[2]}).value_or(kTooMuch);
}

// OHWI and 1HWC filters: H and W are in the middle.
std::uint64_t taps(const Graph& graph, const Node& node) {
  const Shape& filter = graph.shape(node.inputs[1]);
  return element_count({filter[1], filter[2]}).value_or(kTooMuch);
}

std::uint64_t address_bytes(const Graph& graph, const Node& node) {
  constexpr std::uint64_t kAddress = 8;
  constexpr std::uint64_t kCorners = 4;
  return std::visit(
      graph::Overloaded{
          [&](const graph::Conv2D& op) {
            const std::uint64_t count = taps(graph, node);
            return count == 1 && op.stride == 1 ? 0 : times(times(pixels(graph, node), count), kAddress);
          },
          [&](const graph::DepthwiseConv2D&) {
            return times(times(pixels(graph, node), taps(graph, node)), kAddress);
          },
          [&](const graph::ResizeBilinear&) { return times(pixels(graph, node), kCorners * kAddress); },
          [](const auto&) { return std::uint64_t{0}; }},
      node.op);
}

}  // namespace

std::uint64_t run_memory(const Graph& graph) {
  std::unordered_map<ValueId, std::size_t> last_use;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].inputs) last_use[id] = i;
  }
  for (const ValueId id : graph.outputs) last_use[id] = graph.nodes.size();
  std::uint64_t live = 0;
  for (const ValueId id : graph.inputs) live = plus(live, bytes_of(graph, id));
  std::uint64_t most = live;
  std::uint64_t addresses = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    live = plus(live, bytes_of(graph, node.output));
    most = std::max(most, live);
    addresses = plus(addresses, address_bytes(graph, node));
    if (live == kTooMuch || addresses == kTooMuch) return kTooMuch;
    std::vector<ValueId> ended = node.inputs;
    std::ranges::sort(ended);
    ended.erase(std::ranges::unique(ended).begin(), ended.end());
    for (const ValueId id : ended) {
      if (last_use[id] == i && !graph.value(id).source) live -= bytes_of(graph, id);
    }
  }
  return plus(most, addresses);
}

std::uint64_t allowed_run_memory(std::uint64_t file_bytes) {
  constexpr std::uint64_t kAlways = std::uint64_t{1} << 30U;
  constexpr std::uint64_t kTimesTheFile = 64;
  return plus(kAlways, times(kTimesTheFile, file_bytes));
}

}  // namespace sealite::model_file

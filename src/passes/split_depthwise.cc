#include <array>
#include <span>

#include "passes/sum_of_parts.h"

namespace sealite::passes {
namespace {

// Rows and columns of a 7x7 filter that lie evenly around its centre, so that they are SAME themselves.
struct Piece {
  const char* suffix;
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;
};

// Kernels of 25, 25 and 9 taps. No other cover by such pieces is cheaper by the kernels' costs alone.
std::span<const Piece> few_pieces() {
  static const std::array kPieces{Piece{".odd", {1, 3, 5}, {0, 1, 2, 3, 4, 5, 6}},
                                  Piece{".even", {0, 2, 4, 6}, {1, 2, 3, 4, 5}},
                                  Piece{".sides", {0, 2, 4, 6}, {0, 6}}};
  return kPieces;
}

// Kernels of 9 taps and 4, cheaper for each tap; but the activation is read and added four times more.
std::span<const Piece> small_pieces() {
  static const std::array kPieces{
      Piece{".even06", {0, 2, 4, 6}, {0, 6}}, Piece{".even15", {0, 2, 4, 6}, {1, 5}},
      Piece{".even24", {0, 2, 4, 6}, {2, 4}}, Piece{".even3", {0, 2, 4, 6}, {3}},
      Piece{".odd135", {1, 3, 5}, {1, 3, 5}}, Piece{".outer", {1, 5}, {0, 2, 4, 6}},
      Piece{".middle", {3}, {0, 2, 4, 6}}};
  return kPieces;
}

// What fits, with what is made of it, the second cache of today's processors.
constexpr std::uint64_t kSmallActivation = std::uint64_t{128} * 1024;  // elements: 512 KiB

std::int64_t distance(const std::vector<std::int64_t>& positions) {
  return positions.size() == 1 ? 1 : positions[1] - positions[0];
}

}  // namespace

// XNNPACK's depthwise kernels have 3, 4, 9 or 25 taps, cost what that number says, and above it are 6 times
// slower per tap (measured, docs/log/2026-11-performance.md). A 7x7 SAME filter is exactly the sum of dilated
// ones; the bias is in the first.
std::optional<ValueId> split_depthwise(const Graph& graph, const Node& node, Builder& patch) {
  const auto* op = std::get_if<graph::DepthwiseConv2D>(&node.op);
  if (op == nullptr || op->padding != graph::Padding::kSame || op->dilation_h != 1 || op->dilation_w != 1) {
    return std::nullopt;
  }
  const graph::Value& filter = graph.value(node.inputs[1]);
  if (!filter.source || filter.shape[1] != 7 || filter.shape[2] != 7) return std::nullopt;
  const bool small = element_count(graph.shape(node.output)) <= kSmallActivation;
  SumOfParts parts(graph, node, patch);
  for (const Piece& piece : small ? small_pieces() : few_pieces()) {
    const ValueId taps =
        patch.constant(filter.name + piece.suffix,
                       graph::taken(graph::taken(filter.source, 1, piece.rows), 2, piece.columns));
    const graph::DepthwiseConv2D dilated{distance(piece.rows), distance(piece.columns),
                                         graph::Padding::kSame};
    parts.add(piece.suffix, dilated, node.inputs[0], taps);
  }
  return parts.sum();
}

}  // namespace sealite::passes

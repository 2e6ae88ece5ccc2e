#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "graph/builder.h"
#include "graph/graph.h"

namespace sealite::passes {

/// Looks at one node and, if it knows something better, builds it with `patch` and returns the value that
/// replaces the node's output. A replacement of another type or shape is refused (kInternal): no pass can
/// change a wire.
using Rule = std::optional<graph::ValueId> (*)(const graph::Graph&, const graph::Node&,
                                               graph::Builder& patch);

/// Where a pass makes sense.
enum class When : std::uint8_t {
  kAlways,
  kStaticShapes,  // it bakes heights or widths into the graph
};

/// Whether a pass sees the weights as they were trained, or as they will be stored.
enum class Phase : std::uint8_t { kBeforeQuantization, kAfterQuantization };

/// One rewrite: a file of this folder and a row in pipeline.cc.
struct Pass {
  std::string_view name;     // "fold-norm-affine", for --dump-after and --stop-after
  std::string_view summary;  // why, in one line
  Rule rule;
  When when = When::kAlways;
  Phase phase = Phase::kBeforeQuantization;
};

/// All passes in the order in which they run.
std::span<const Pass> pipeline();

struct PipelineOptions {
  Phase phase = Phase::kBeforeQuantization;
  bool dynamic_shapes = false;
  std::string_view stop_after;  // a pass's name, or empty
  std::function<void(const Pass&, const graph::Graph&)> after_pass;
};

/// Runs the passes of one phase on `graph`; removes dead nodes after each pass. None runs that comes after
/// `stop_after`, of whichever phase that is. Throws kUsage for an unknown `stop_after`.
void run_pipeline(graph::Graph& graph, const PipelineOptions& options);

/// Applies `rule` to every node and removes dead ones until nothing changes; true if anything did.
bool apply_rule(graph::Graph& graph, Rule rule);

/// Removes nodes that no output needs.
void remove_dead_nodes(graph::Graph& graph);

/// Throws kUsage, listing the names there are, if no pass is called `name`.
const Pass& find_pass(std::string_view name);

}  // namespace sealite::passes

#include <algorithm>

#include <fmt/ranges.h>

#include "base/error.h"
#include "passes/rules.h"

namespace sealite::passes {
namespace {

// Folds come before lowering: they look for the composites.
constexpr Pass kPipeline[] = {
    {"fold-scalar-affine", "x * 2 - 1 moves into the stem's filter and bias", fold_scalar_affine},
    {"fold-batch-norm", "a BatchNorm moves into the filter and bias of the convolution before it",
     fold_batch_norm},
    {"fold-skip-scale", "the scale of a skip connection moves into the convolution that reads it",
     fold_skip_scale},
    {"split-concatenation",
     "a convolution of joined channels is a sum of convolutions: int8 gets a range for each",
     split_concatenation},
    {"hoist-repeated", "what is the same in every pixel (an embedded message) is computed for one pixel",
     hoist_repeated, When::kStaticShapes},
    {"fold-norm-affine", "a LayerNorm's gamma and beta move into the linear layer after it",
     fold_norm_affine},
    {"fold-norm-mean", "a LayerNorm's mean subtraction moves into the linear layer after it", fold_norm_mean},
    {"fold-grn-beta", "a GRN's beta moves into the bias of the linear layer after it", fold_grn_beta},
    {"lower-layer-norm", "LayerNorm as plain operators", lower_layer_norm},
    {"lower-grn", "GRN as plain operators", lower_grn},
    {"lower-rms-norm", "RMS norm as plain operators", lower_rms_norm},
    {"lower-group-norm", "GroupNorm as plain operators", lower_group_norm},
    {"fuse-relu", "a ReLU becomes the activation of the operator before it", fuse_relu},
    {"split-depthwise", "7x7 depthwise as three dilated ones: XNNPACK is slow above 25 taps",
     split_depthwise},
    {"lower-reflection-pad", "reflection as slices and concatenations: MIRROR_PAD is not delegated",
     lower_reflection_pad, When::kStaticShapes},
    {"split-small-convolution", "a 3x3 convolution of few pixels as nine products, faster in float32",
     split_small_convolution, When::kStaticShapes},
    {"strip-hidden", "a wide hidden activation in strips of rows that stay in the caches", strip_hidden,
     When::kStaticShapes, Phase::kAfterQuantization},
};

// Puts the patch's nodes in the place of nodes[index]; the replacement takes over the old output's value.
void splice(graph::Graph& graph, std::size_t index, std::vector<Node> patch, ValueId replacement) {
  const Node old = graph.nodes[index];
  const graph::Value& before = graph.value(old.output);
  const graph::Value& after = graph.value(replacement);
  if (before.shape != after.shape || before.type != after.type) {
    fail(ErrorCode::kInternal, "a pass would change '{}' from {} to {}", old.name, to_string(before.shape),
         to_string(after.shape));
  }
  if (std::ranges::find(patch, replacement, &Node::output) == patch.end()) {
    fail(ErrorCode::kInternal, "a pass would replace '{}' by a value that its patch does not make", old.name);
  }
  for (Node& node : patch) {
    if (node.output == replacement) node.output = old.output;
    std::ranges::replace(node.inputs, replacement, old.output);
  }
  // The value keeps its own mark; a node that took its producer in brings that one's.
  if (after.mark != graph::Mark::kNone) graph.mark(old.output, after.mark);
  const auto at = graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
  graph.nodes.insert(at, std::make_move_iterator(patch.begin()), std::make_move_iterator(patch.end()));
}

// Applies `rule` to every node once, and to what it made of it.
bool sweep(graph::Graph& graph, Rule rule) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.nodes.size();) {
    std::vector<Node> patch;
    Builder builder(graph, patch);
    const Node node = graph.nodes[i];
    const auto replacement = rule(graph, node, builder);
    if (!replacement) {
      ++i;
      continue;
    }
    // The same place is looked at again: one rule may apply to its own result.
    splice(graph, i, std::move(patch), *replacement);
    changed = true;
  }
  return changed;
}

}  // namespace

std::span<const Pass> pipeline() {
  return kPipeline;
}

const Pass& find_pass(std::string_view name) {
  const auto* found = std::ranges::find(kPipeline, name, &Pass::name);
  if (found != std::end(kPipeline)) return *found;
  std::vector<std::string_view> names;
  for (const Pass& pass : kPipeline) names.push_back(pass.name);
  fail(ErrorCode::kUsage, "no pass '{}'; there are {}", name, fmt::join(names, ", "));
}

bool apply_rule(graph::Graph& graph, Rule rule) {
  bool changed = false;
  // What a sweep replaced still counts as a reader until it is gone: x * 2 - 1 takes two.
  while (sweep(graph, rule)) {
    changed = true;
    remove_dead_nodes(graph);
  }
  return changed;
}

void remove_dead_nodes(graph::Graph& graph) {
  std::vector<bool> needed(graph.value_count(), false);
  for (const ValueId id : graph.outputs) needed[static_cast<std::size_t>(id)] = true;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!needed[static_cast<std::size_t>(node->output)]) continue;
    for (const ValueId id : node->inputs) needed[static_cast<std::size_t>(id)] = true;
  }
  std::erase_if(graph.nodes,
                [&](const Node& node) { return !needed[static_cast<std::size_t>(node.output)]; });
}

void run_pipeline(graph::Graph& graph, const PipelineOptions& options) {
  if (!options.stop_after.empty()) find_pass(options.stop_after);
  for (const Pass& pass : kPipeline) {
    const bool last = pass.name == options.stop_after;
    if (pass.phase != options.phase) {
      if (last) return;
      continue;
    }
    if (!(options.dynamic_shapes && pass.when == When::kStaticShapes)) apply_rule(graph, pass.rule);
    if (options.after_pass) options.after_pass(pass, graph);
    if (last) return;
  }
}

}  // namespace sealite::passes

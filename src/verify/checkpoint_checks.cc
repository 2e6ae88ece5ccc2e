#include "verify/checkpoint_checks.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "model/audit.h"
#include "model_file/import_graph.h"
#include "passes/pass.h"
#include "verify/diagnosis.h"
#include "verify/layers.h"
#include "verify/numbers.h"
#include "verify/stored_weights.h"

namespace sealite::verify {
namespace {

constexpr std::size_t kWorst = 10;

// The network in the file, or why it cannot be read back.
struct Stored {
  std::optional<graph::Graph> graph;
  std::string why_not;
};

Stored read_stored(const Examination& examination) {
  try {
    return {model_file::import_graph(examination.subject.file, examination.kind.names().signature), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

void check_weights(Examination& examination, const Original& original, const graph::Graph& stored) {
  graph::Graph expected = original.graph(examination.height, examination.width);
  passes::PipelineOptions pipeline;
  const Shape& input = examination.subject.signature()->inputs.at(0).shape;
  pipeline.dynamic_shapes = std::ranges::any_of(input, [](std::int64_t size) { return size < 0; });
  passes::run_pipeline(expected, pipeline);
  const WeightComparison comparison = compare_weights(expected, stored, examination.limits);
  VerifyReport& report = examination.report;
  report.weights.assign(
      comparison.worst.begin(),
      comparison.worst.begin() + static_cast<std::ptrdiff_t>(std::min(kWorst, comparison.worst.size())));
  std::string finding = fmt::format("{} rows of {} weights are the checkpoint's, to within rounding.",
                                    comparison.rows, comparison.constants);
  if (!comparison.beyond.empty()) {
    const WeightDifference& worst = comparison.beyond[0];
    finding = fmt::format(
        "{} of {} weights are not the checkpoint's; the worst is '{}', row {}, off by {:.2g} of "
        "its size.",
        comparison.beyond.size(), comparison.constants, worst.name, worst.row, worst.error);
  }
  Check& check =
      add_check(report, checks::kWeights, finding,
                {{"weights beyond rounding", static_cast<double>(comparison.beyond.size()), "", 0, {}}});
  if (comparison.absent == 0) return;
  check.finding +=
      fmt::format(" {} weights of the checkpoint have no counterpart of that name.", comparison.absent);
  if (comparison.beyond.empty()) check.outcome = CheckOutcome::kSkipped;
}

void check_layers(Examination& examination, const LayerComparison& comparison) {
  VerifyReport& report = examination.report;
  report.layers = comparison.layers;
  const double limit = examination.limits.layer_error;
  const auto first = std::ranges::find_if(
      report.layers, [&](const LayerDifference& layer) { return !(layer.error <= limit); });
  const auto largest = std::ranges::max_element(report.layers, {}, &LayerDifference::error);
  if (largest == report.layers.end()) {
    add_check(report, checks::kLayers, "No layer of the file has the name of one of the checkpoint's.")
        .outcome = CheckOutcome::kSkipped;
    return;
  }
  std::string finding = fmt::format(
      "{} layers, the file's weights in Sealite's float32 evaluator: the largest difference, {:.2g} of the "
      "output, is in '{}'.",
      report.layers.size(), largest->error, largest->name);
  if (first != report.layers.end())
    finding += fmt::format(" The first beyond the limit is '{}' with {:.2g}.", first->name, first->error);
  const ModelKind& kind = examination.kind;
  const double runtime = relative_error(kind.values(comparison.stored), examination.outputs[0]);
  add_check(report, checks::kLayers, finding,
            {{"largest relative difference", largest->error, "", limit, {}},
             {fmt::format("{}, file in the evaluator against LiteRT", kind.names().output),
              runtime,
              "",
              examination.limits.runtime_error,
              {}}});
}

// Whether the network that the model is compared with is all of the checkpoint's.
void check_tensors(Examination& examination, const Original& original) {
  const model::UnreadTensors unread = original.unread();
  const std::string_view part = examination.kind.names().part;
  std::string finding = fmt::format("Every weight of the checkpoint's {} is read by a layer.", part);
  if (!unread.weights.empty()) {
    finding = fmt::format(
        "{} weights of the checkpoint's {} are read by no layer, so that the network is another than the one "
        "compared here: {}.",
        unread.weights.size(), part, model::list_names(unread.weights));
  }
  if (!unread.notes.empty())
    finding += fmt::format(" {} counters are not: {}.", unread.notes.size(), model::list_names(unread.notes));
  add_check(examination.report, checks::kTensors, finding,
            {{"weights that no layer reads", static_cast<double>(unread.weights.size()), "", 0, {}}});
}

// The model's own only if it names these weights (checks::kInterface).
std::string name_of(const Examination& examination, const Original& original) {
  const std::optional<model_file::Metadata>& claims = examination.subject.claims;
  const std::string which = claims && claims->checkpoint_hash.starts_with(model::kHashAlgorithm)
                                ? "its checkpoint"
                                : fmt::format("the checkpoint '{}'", original.path().filename().string());
  return which + " (Sealite's own float32 evaluator)";
}

void skip_stored(Examination& examination, const std::string& why) {
  const std::string finding = "The file's network cannot be read back: " + why;
  for (const CheckName& check : {checks::kWeights, checks::kLayers})
    add_check(examination.report, check, finding).outcome = CheckOutcome::kSkipped;
}

}  // namespace

void check_against(Examination& examination, const Original& original) {
  check_tensors(examination, original);
  if (original.card().bits != examination.bits) return;
  const graph::Graph network = original.graph(examination.height, examination.width);
  const Stored stored = read_stored(examination);
  const std::size_t pictures = examination.pictures.size();
  LayerComparison layers;
  std::vector<Expected> expected;
  {
    const std::size_t more = stored.graph ? stored.graph->nodes.size() : 0;
    Progress progress("evaluating the original", network.nodes.size() * pictures + more);
    const auto advance = [&] { progress.advance(1); };
    for (std::size_t i = 0; i < pictures; ++i) {
      const std::vector<evaluate::Tensor> inputs = to_tensors(examination.pictures[i]);
      evaluate::Tensor output;
      if (i == 0 && stored.graph) {
        layers = compare_layers(network, *stored.graph, inputs, advance);
        output = layers.original;
      } else {
        output = run_graph(network, inputs, advance);
      }
      expected.push_back({i, examination.kind.values(output)});
    }
  }
  examination.report.compared.push_back(name_of(examination, original));
  if (!check_numbers(examination, expected, checks::kCheckpoint)) {
    const std::string cause = diagnose(examination, original, expected[0].values);
    if (!cause.empty()) examination.report.checks.back().finding += " Cause: " + cause + ".";
  }
  if (!stored.graph) return skip_stored(examination, stored.why_not);
  check_weights(examination, original, *stored.graph);
  check_layers(examination, layers);
}

}  // namespace sealite::verify

#include "measure/operator_profile.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/stopwatch.h"
#include "measure/statistics.h"

namespace sealite::measure {
namespace {

constexpr int kMostRuns = 20;
constexpr int kLeastProfiledRuns = 3;
constexpr double kMostSeconds = 10;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

std::vector<ProfiledKind> by_kind(const std::vector<runtime::OperatorTime>& operators) {
  std::map<std::string, ProfiledKind> kinds;
  for (const runtime::OperatorTime& each : operators) {
    ProfiledKind& kind = kinds[each.name];
    kind.name = each.name;
    ++kind.count;
    kind.seconds += each.seconds;
  }
  std::vector<ProfiledKind> sorted;
  for (auto& [name, kind] : kinds) sorted.push_back(std::move(kind));
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &ProfiledKind::seconds);
  return sorted;
}

/// XNNPACK keeps the file's order, so that where both have as many products, the nth is the nth.
std::vector<ProfiledLayer> by_layer(const std::vector<runtime::OperatorTime>& operators,
                                    const model_file::Workload& work) {
  std::vector<double> times;
  for (const runtime::OperatorTime& each : operators) {
    if (is_product_name(each.name)) times.push_back(each.seconds);
  }
  std::vector<ProfiledLayer> layers;
  for (const model_file::OperatorWork& op : work.operators) {
    if (op.uncounted) return {};
    if (!op.is_product) continue;
    layers.push_back({op.name, op.kind, op.integer_weights, op.multiply_accumulates, 0});
  }
  if (times.size() != layers.size()) return {};
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].seconds = times[i];
  std::ranges::stable_sort(layers, std::ranges::greater{}, &ProfiledLayer::seconds);
  return layers;
}

}  // namespace

bool is_product_name(std::string_view name) {
  constexpr std::array kNames = {"Convolution",     "Fully Connected", "Batch Matrix Multiply", "CONV_2D",
                                 "FULLY_CONNECTED", "BATCH_MATMUL",    "DEPTHWISE_CONV_2D"};
  return std::ranges::any_of(kNames, [&](const char* start) { return name.starts_with(start); });
}

BenchProfile measure_profile(const Candidate& candidate, const BenchOptions& options) {
  runtime::CompiledModel model = load(candidate, options, true);
  time_run(model);
  std::vector<double> runs;
  std::vector<std::vector<runtime::OperatorTime>> profiles;
  double total = 0;
  for (int run = 0; run < kMostRuns && (run < kLeastProfiledRuns || total < kMostSeconds); ++run) {
    check_cancelled();
    const Stopwatch stopwatch;
    profiles.push_back(model.run_profiled());
    runs.push_back(stopwatch.seconds());
    total += runs.back();
    if (profiles.back().size() != profiles.front().size())
      fail(ErrorCode::kUnsupported, "LiteRT's profiler reports another number of operators in each run");
  }
  BenchProfile profile;
  profile.runs = runs.size();
  profile.run_seconds = median(runs);
  std::vector<runtime::OperatorTime> operators = profiles.front();
  for (std::size_t i = 0; i < operators.size(); ++i) {
    std::vector<double> times;
    for (const auto& each : profiles) times.push_back(each[i].seconds);
    operators[i].seconds = median(std::move(times));
    profile.operator_seconds += operators[i].seconds;
  }
  profile.kinds = by_kind(operators);
  profile.layers = by_layer(operators, candidate.work);
  return profile;
}

}  // namespace sealite::measure

#include "cli/bench_json.h"

#include <nlohmann/json.hpp>

#include "cli/json_line.h"

namespace sealite::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const MedianInterval& interval) {
  return {{"low", interval.low}, {"high", interval.high}, {"coverage", interval.coverage}};
}

Json to_json(const RunTimes& times) {
  return {{"runs", times.runs},
          {"minimum", times.minimum},
          {"median", times.median},
          {"maximum", times.maximum},
          {"mean", times.mean},
          {"standard_deviation", times.deviation},
          {"median_interval", to_json(times.median_interval)}};
}

Json to_json(const BenchMemory& memory) {
  return {{"resident_before", memory.resident_before},
          {"resident_loaded", memory.resident_loaded},
          {"resident_run", memory.resident_run},
          {"private_before", memory.private_before},
          {"private_loaded", memory.private_loaded},
          {"private_run", memory.private_run},
          {"peak", memory.peak}};
}

Json to_json(const BenchProfile& profile) {
  Json json;
  json["runs"] = profile.runs;
  json["run_seconds"] = profile.run_seconds;
  json["operator_seconds"] = profile.operator_seconds;
  json["kinds"] = Json::array();
  for (const ProfiledKind& kind : profile.kinds)
    json["kinds"].push_back({{"name", kind.name}, {"count", kind.count}, {"seconds", kind.seconds}});
  json["layers"] = Json::array();
  for (const ProfiledLayer& layer : profile.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"op", layer.kind},
                              {"integer_filter", layer.integer},
                              {"multiply_accumulates", layer.multiply_accumulates},
                              {"seconds", layer.seconds}});
  }
  return json;
}

Json to_json(const BenchedModel& model, const BenchReport& report) {
  Json json;
  json["file"] = model.path.string();
  json["bytes"] = model.bytes;
  json["signature"] = model.signature;
  json["operators"] = model.operators;
  json["fully_delegated"] = model.fully_delegated;
  json["load_seconds"] = model.load_seconds;
  json["first_run_seconds"] = model.first_seconds;
  json["warm_up"] = to_json(model.warm_up);
  json["steady"] = to_json(model.steady);
  json["memory_bytes"] = to_json(model.memory);
  const std::uint64_t products = model.work.float_products + model.work.integer_products;
  json["multiply_accumulates"] = products;
  json["with_integer_filters"] = model.work.integer_products;
  json["uncounted"] = model.work.uncounted;
  json["multiply_accumulates_per_second"] = static_cast<double>(products) / model.steady.median;
  if (report.peak) json["share_of_peak"] = share_of_peak(model, *report.peak);
  if (model.profile) json["profile"] = to_json(*model.profile);
  return json;
}

}  // namespace

void print_bench_json(const BenchReport& report) {
  Json json;
  json["model"] = to_json(report.model, report);
  if (report.versus) json["versus"] = to_json(*report.versus, report);
  if (report.ratio) {
    const PairedRatio& ratio = *report.ratio;
    json["ratio"] = {{"pairs", ratio.pairs},
                     {"of_medians", ratio.of_medians},
                     {"median", ratio.median},
                     {"lower_quartile", ratio.lower_quartile},
                     {"upper_quartile", ratio.upper_quartile},
                     {"median_interval", to_json(ratio.median_interval)}};
  }
  if (report.peak) json["matrix_peak"] = {{"float32", report.peak->float32}, {"int8", report.peak->int8}};
  json["threads"] = report.threads;
  json["processor"] = report.processor;
  json["runtime"] = report.runtime.string();
  print_json_line(json);
}

}  // namespace sealite::cli

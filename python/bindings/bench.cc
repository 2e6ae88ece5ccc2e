#include "sealite/bench.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include <filesystem>
#include <string>

#include "bindings/host.h"

namespace sealite::python {
namespace {

nb::tuple interval_of(const MedianInterval& interval) {
  return nb::make_tuple(interval.low, interval.high, interval.coverage);
}

nb::dict times_fields(const RunTimes& times) {
  nb::dict fields;
  fields["runs"] = times.runs;
  fields["minimum"] = times.minimum;
  fields["median"] = times.median;
  fields["maximum"] = times.maximum;
  fields["mean"] = times.mean;
  fields["deviation"] = times.deviation;
  fields["median_interval"] = interval_of(times.median_interval);
  return fields;
}

nb::dict memory_fields(const BenchMemory& memory) {
  nb::dict fields;
  fields["resident_before"] = memory.resident_before;
  fields["resident_loaded"] = memory.resident_loaded;
  fields["resident_run"] = memory.resident_run;
  fields["private_before"] = memory.private_before;
  fields["private_loaded"] = memory.private_loaded;
  fields["private_run"] = memory.private_run;
  fields["peak"] = memory.peak;
  return fields;
}

nb::object profile_fields(const std::optional<BenchProfile>& profile) {
  if (!profile) return nb::none();
  nb::dict fields;
  fields["runs"] = profile->runs;
  fields["run_seconds"] = profile->run_seconds;
  fields["operator_seconds"] = profile->operator_seconds;
  nb::list kinds;
  for (const ProfiledKind& kind : profile->kinds)
    kinds.append(nb::make_tuple(text_of(kind.name), kind.count, kind.seconds));
  fields["kinds"] = nb::tuple(kinds);
  nb::list layers;
  for (const ProfiledLayer& layer : profile->layers)
    layers.append(nb::make_tuple(text_of(layer.name), layer.kind, layer.seconds));
  fields["layers"] = nb::tuple(layers);
  return fields;
}

nb::dict model_times(const BenchedModel& model, const std::optional<MatrixPeak>& peak) {
  nb::dict fields;
  fields["path"] = model.path;
  fields["bytes"] = model.bytes;
  fields["signature"] = text_of(model.signature);
  fields["operators"] = model.operators;
  fields["fully_delegated"] = model.fully_delegated;
  fields["load_seconds"] = model.load_seconds;
  fields["first_seconds"] = model.first_seconds;
  fields["warm_up"] = times_fields(model.warm_up);
  fields["steady"] = times_fields(model.steady);
  fields["memory"] = memory_fields(model.memory);
  fields["float_products"] = model.work.float_products;
  fields["integer_products"] = model.work.integer_products;
  fields["share_of_peak"] = peak ? nb::cast(share_of_peak(model, *peak)) : nb::none();
  fields["profile"] = profile_fields(model.profile);
  return fields;
}

nb::dict bench_file(Host& host, const std::filesystem::path& model, const std::filesystem::path& versus,
                    int threads, int runs, const std::string& signature, bool profile, bool peak) {
  BenchOptions options;
  options.threads = threads;
  options.runs = runs;
  options.signature = signature;
  options.versus = versus;
  options.profile = profile;
  options.peak = peak;
  options.context = host.context();
  const BenchReport report = host.run([&] { return bench_model(model, options); });
  nb::dict fields;
  fields["threads"] = report.threads;
  fields["runtime"] = report.runtime;
  fields["processor"] = text_of(report.processor);
  fields["model"] = model_times(report.model, report.peak);
  fields["versus"] = report.versus ? nb::object(model_times(*report.versus, report.peak)) : nb::none();
  fields["ratio"] = report.ratio ? nb::cast(report.ratio->median) : nb::none();
  fields["ratio_interval"] =
      report.ratio ? nb::object(interval_of(report.ratio->median_interval)) : nb::object(nb::none());
  return fields;
}

}  // namespace

void bind_bench(nb::module_& module) {
  module.def("bench", &bench_file, nb::arg("host"), nb::arg("model"), nb::arg("versus"), nb::arg("threads"),
             nb::arg("runs"), nb::arg("signature"), nb::arg("profile"), nb::arg("peak"));
}

}  // namespace sealite::python

#include "sealite/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/bench_json.h"
#include "cli/command.h"
#include "cli/plain_text.h"
#include "cli/program_context.h"
#include "cli/units.h"

namespace sealite::cli {
namespace {

struct BenchArguments {
  std::string model;
  BenchOptions options;
  HostOptions host;
  bool no_peak = false;
  bool json = false;
};

constexpr std::size_t kShownKinds = 15;
constexpr std::size_t kShownLayers = 10;

std::string milliseconds(double seconds) {
  const double value = 1000 * seconds;
  return fmt::format("{:.{}f} ms", value, value < 10 ? 3 : value < 1000 ? 2 : 0);
}

std::string giga(double value) {
  return fmt::format("{:.3g}", 1e-9 * value);
}

// "95 %", and the truth where there are too few runs for it.
std::string confidence(const MedianInterval& interval) {
  return interval.coverage >= 0.95 ? "95 %" : fmt::format("{:.0f} %", 100 * interval.coverage);
}

// Also where memory shrank.
std::string difference(std::uint64_t after, std::uint64_t before) {
  return after >= before ? "+" + mebibytes(after - before) : "-" + mebibytes(before - after);
}

void print_times(const RunTimes& times) {
  print("  Steady: median {} ({} interval {} to {}), {} runs\n", milliseconds(times.median),
        confidence(times.median_interval), milliseconds(times.median_interval.low),
        milliseconds(times.median_interval.high), times.runs);
  print("    minimum {}, maximum {}, mean {}, standard deviation {}\n", milliseconds(times.minimum),
        milliseconds(times.maximum), milliseconds(times.mean), milliseconds(times.deviation));
}

void print_memory(const BenchMemory& memory) {
  print("  Resident memory: {} before, {} loaded, {} after the first run ({}), peak {}\n",
        mebibytes(memory.resident_before), mebibytes(memory.resident_loaded), mebibytes(memory.resident_run),
        difference(memory.resident_run, memory.resident_before), mebibytes(memory.peak));
  print("    of it private: {} before, {} loaded, {} after the first run ({})\n",
        mebibytes(memory.private_before), mebibytes(memory.private_loaded), mebibytes(memory.private_run),
        difference(memory.private_run, memory.private_before));
}

void print_work(const BenchedModel& model, const std::optional<MatrixPeak>& peak) {
  const BenchWork& work = model.work;
  const auto floats = static_cast<double>(work.float_products);
  const auto integers = static_cast<double>(work.integer_products);
  print("  Work: {} GMAC ({} with float filters, {} with integer ones): {} GMAC/s\n", giga(floats + integers),
        giga(floats), giga(integers), giga((floats + integers) / model.steady.median));
  for (const std::string& each : work.uncounted) print("    not counted: {}\n", each);
  if (!peak || floats + integers == 0) return;
  print("  Share of the matrix peak: {:.1f} % (at the peak its MACs would take {})\n",
        100 * share_of_peak(model, *peak), milliseconds(floats / peak->float32 + integers / peak->int8));
}

void print_kinds(const BenchProfile& profile) {
  print("  Operators as the runtime runs them (medians of {} runs)\n", profile.runs);
  print("    {:>12}  {:>6}  {:>5}  {}\n", "time", "share", "count", "operator");
  const std::size_t shown = std::min(kShownKinds, profile.kinds.size());
  double others = 0;
  for (std::size_t i = 0; i < profile.kinds.size(); ++i) {
    const ProfiledKind& kind = profile.kinds[i];
    if (i >= shown) {
      others += kind.seconds;
      continue;
    }
    print("    {:>12}  {:>4.1f} %  {:>5}  {}\n", milliseconds(kind.seconds),
          100 * kind.seconds / profile.run_seconds, kind.count, kind.name);
  }
  if (shown < profile.kinds.size()) {
    print("    {:>12}  {:>4.1f} %         {} other kinds\n", milliseconds(others),
          100 * others / profile.run_seconds, profile.kinds.size() - shown);
  }
  print("    {:>12}  {:>4.1f} %         sum; a whole run takes {} while profiling\n",
        milliseconds(profile.operator_seconds), 100 * profile.operator_seconds / profile.run_seconds,
        milliseconds(profile.run_seconds));
}

void print_layers(const BenchProfile& profile) {
  if (profile.layers.empty()) {
    print("  Layers: the runtime's convolutions and matrix products cannot be told apart\n");
    return;
  }
  print("  Slowest convolutions and matrix products\n");
  print("    {:>12}  {:>6}  {:>8}  {}\n", "time", "share", "GMAC/s", "layer");
  for (std::size_t i = 0; i < std::min(kShownLayers, profile.layers.size()); ++i) {
    const ProfiledLayer& layer = profile.layers[i];
    const double rate =
        layer.seconds > 0 ? static_cast<double>(layer.multiply_accumulates) / layer.seconds : 0;
    print("    {:>12}  {:>4.1f} %  {:>8}  {} ({}{})\n", milliseconds(layer.seconds),
          100 * layer.seconds / profile.run_seconds, giga(rate), layer.name, layer.kind,
          layer.integer ? ", integer" : "");
  }
}

void print_model(const BenchedModel& model, const std::optional<MatrixPeak>& peak) {
  print("{}\n", model.path.string());
  print("  Size: {}, signature {}, {} operators, {}\n", mebibytes(model.bytes), model.signature,
        model.operators, model.fully_delegated ? "all run by XNNPACK" : "not all run by XNNPACK");
  print("  Load: {}\n", milliseconds(model.load_seconds));
  print("  First run: {}\n", milliseconds(model.first_seconds));
  print("  Warm-up: {} runs, mean {}\n", model.warm_up.runs, milliseconds(model.warm_up.mean));
  print_times(model.steady);
  print_memory(model.memory);
  print_work(model, peak);
  if (!model.profile) return;
  print_kinds(*model.profile);
  print_layers(*model.profile);
}

void print_text(const BenchReport& report) {
  print_model(report.model, report.peak);
  if (report.versus) print_model(*report.versus, report.peak);
  if (report.ratio) {
    const PairedRatio& ratio = *report.ratio;
    print("Second / first, run alternately: {:.3f} of the medians\n", ratio.of_medians);
    print("  {} pairs: median {:.3f} ({} interval {:.3f} to {:.3f}), quartiles {:.3f} and {:.3f}\n",
          ratio.pairs, ratio.median, confidence(ratio.median_interval), ratio.median_interval.low,
          ratio.median_interval.high, ratio.lower_quartile, ratio.upper_quartile);
  }
  print("Threads: {}{}{}\n", report.threads, report.processor.empty() ? "" : " of ", report.processor);
  if (report.peak) {
    print("Matrix peak, measured: {} GMAC/s with float filters, {} GMAC/s with int8 ones\n",
          giga(report.peak->float32), giga(report.peak->int8));
  }
  print("Runtime: {}\n", report.runtime.string());
}

int run(const BenchArguments& arguments) {
  ProgressLine progress;
  HostOptions host = arguments.host;
  host.use_cache = false;
  BenchOptions options = arguments.options;
  options.peak = !arguments.no_peak;
  options.context = program_context(progress, host);
  const BenchReport report = bench_model(arguments.model, options);
  arguments.json ? print_bench_json(report) : print_text(report);
  return 0;
}

}  // namespace

Run add_bench(CLI::App& app) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App& command = *app.add_subcommand("bench", "Measure a model's speed and memory in LiteRT");
  command.add_option("model", arguments->model, "Any .tflite file with float32 inputs")->required();
  BenchOptions& options = arguments->options;
  command.add_option("--threads", options.threads, "Threads of the model")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      .add_option("--runs", options.runs,
                  "Timed runs (default: 50, or fewer where they take over 30 s, but 5)")
      ->check(CLI::Range(1, 100000));
  command.add_option("--vs", options.versus, "A second model: both are run alternately and compared");
  command.add_flag("--profile", options.profile, "Also show where the time goes, operator by operator");
  command.add_option("--signature", options.signature, "The signature to run (default: the first)");
  command.add_flag("--no-peak", arguments->no_peak,
                   "Do not measure this machine's matrix products (about 2 s)");
  add_litert_option(command, arguments->host);
  command.add_flag("--json", arguments->json, "Print one line of JSON");
  command.footer(
      "Times are of the wall clock: close what else runs, or compare with --vs. What the figures\n"
      "mean is in docs/performance.md.\n"
      "Examples:\n"
      "  sealite bench chunkyseal.tflite --threads 2\n"
      "  sealite bench pixelseal.int8.tflite --profile\n"
      "  sealite bench pixelseal.tflite --vs pixelseal.int8.tflite --runs 100 --json");
  return [arguments] { return run(*arguments); };
}

}  // namespace sealite::cli

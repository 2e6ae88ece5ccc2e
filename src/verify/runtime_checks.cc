#include "verify/runtime_checks.h"

#include <algorithm>
#include <memory>

#include "base/context.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stopwatch.h"
#include "model_file/workload.h"
#include "runtime/litert_api.h"
#include "verify/numbers.h"
#include "verify/pictures.h"

namespace sealite::verify {
namespace {

constexpr std::int64_t kUsualImageSize = 256;

// Of the picture, where the model leaves it free: the size that the tables store, as `detect` has it, and not
// what the metadata says.
std::int64_t size_of_synthetic(const Examination& examination) {
  constexpr std::int64_t kMaxSide = 1 << 14;
  const Subject& subject = examination.subject;
  for (const model_file::ModelTensor& input :
       model_file::read_workload(*subject.file, examination.kind.names().signature).inputs) {
    if (input.shape.size() == 4 && input.shape[2] >= 1 && input.shape[2] <= kMaxSide) return input.shape[2];
  }
  return kUsualImageSize;
}

std::unique_ptr<Runner> load(const Examination& examination, int threads,
                             const std::filesystem::path& weight_cache = {}) {
  runtime::RunOptions run;
  run.threads = threads;
  run.weight_cache = weight_cache;
  run.library = current_context().litert_library;
  return examination.kind.load(runtime::CompiledModel(model_file::mapped_bytes(*examination.subject.file),
                                                      examination.kind.names().signature, run),
                               size_of_synthetic(examination));
}

// Operators that XNNPACK leaves to the slower built-in kernels (docs/log/2026-11-performance.md).
std::size_t left_behind(const model_file::ModelInfo& info) {
  constexpr std::string_view kKinds[] = {"MIRROR_PAD", "BROADCAST_TO", "GATHER", "GATHER_ND",
                                         "DEPTH_TO_SPACE"};
  std::size_t count = 0;
  for (const auto& [name, number] : info.operators) {
    if (std::ranges::find(kKinds, name) != std::end(kKinds) || name.starts_with("CUSTOM")) count += number;
  }
  return count;
}

void report_loading(Examination& examination, const Runner& runner) {
  VerifyReport& report = examination.report;
  const double all = static_cast<double>(report.operators);
  const std::size_t left = left_behind(examination.subject.info);
  std::string finding = fmt::format("LiteRT loads it in {:.2f} s; ", report.load_seconds);
  if (runner.fully_delegated()) {
    finding += fmt::format("its fast path (XNNPACK) takes all {} operators.", report.operators);
  } else {
    finding += fmt::format("its fast path (XNNPACK) leaves some operators behind, {} of {} by their kind.",
                           left, report.operators);
  }
  const double share =
      runner.fully_delegated() ? 1 : 1 - static_cast<double>(std::max<std::size_t>(left, 1)) / all;
  add_check(report, checks::kLoads, finding,
            {{"file", static_cast<double>(report.bytes) / (1U << 20U), "MiB", {}, {}},
             {"operators", all, "", {}, {}},
             {"delegated", 100 * share, "%", {}, {}}});
}

// All runs with one thread; the first picture's are repeated.
double run_pictures(Examination& examination, Runner& runner) {
  const int runs = std::max(1, examination.options.runs);
  Progress progress("running the model", examination.pictures.size() + static_cast<std::size_t>(runs) - 1);
  std::vector<double> times;
  double difference = 0;
  for (std::size_t i = 0; i < examination.pictures.size(); ++i) {
    for (int run = 0; run < (i == 0 ? runs : 1); ++run) {
      check_cancelled();
      const Stopwatch stopwatch;
      std::vector<float> output = runner.run(examination.pictures[i]);
      times.push_back(stopwatch.seconds());
      if (run == 0) {
        examination.outputs.push_back(std::move(output));
      } else {
        difference = std::max(difference, largest_difference(examination.outputs[0], output));
      }
      progress.advance(1);
    }
  }
  VerifyReport& report = examination.report;
  report.first_run_seconds = times.front();
  if (times.size() > 1) times.erase(times.begin());
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  report.run_seconds = times[times.size() / 2];
  const bool synthetic = examination.options.images.empty() && examination.options.reference.empty();
  add_check(report, synthetic ? checks::kInferenceOnSynthetic : checks::kInference,
            fmt::format("{} picture{}{}, {:.3g} s each with one thread.", examination.pictures.size(),
                        examination.pictures.size() == 1 ? "" : "s",
                        synthetic ? " (synthetic; give real ones with --images)" : "", report.run_seconds));
  return difference;
}

double difference_when(const Examination& examination, int threads, const std::filesystem::path& cache) {
  const std::unique_ptr<Runner> other = load(examination, threads, cache);
  return largest_difference(examination.outputs[0], other->run(examination.pictures[0]));
}

void check_repeatable(Examination& examination, double repeats) {
  const VerifyOptions& options = examination.options;
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(worker_count());
  const double scale = std::max(1e-30, root_mean_square(examination.outputs[0]));
  std::vector<Figure> figures = {{"difference between runs", repeats, "", 0, {}}};
  std::string finding =
      fmt::format("{} run{} of the first picture", options.runs, options.runs == 1 ? "" : "s");
  if (threads > 1) {
    figures.push_back({fmt::format("difference with {} threads / spread", threads),
                       difference_when(examination, threads, {}) / scale,
                       "",
                       1e-5,
                       {}});
    finding += fmt::format(" and one with {} threads", threads);
  }
  bool stale = false;
  if (!options.weight_cache.empty()) {
    figures.push_back({"difference with the weight cache / spread",
                       difference_when(examination, 1, options.weight_cache) / scale,
                       "",
                       1e-5,
                       {}});
    stale = !within(figures.back());
    finding += " and one with the weight cache";
  }
  finding += stale ? " do not agree: the weight cache is stale, it holds another model's weights; delete it."
             : std::ranges::all_of(figures, within) ? " agree."
                                                    : " do not agree.";
  add_check(examination.report, checks::kRepeatable, finding, std::move(figures));
}

bool fails_to_load(Examination& examination, const Error& error) {
  add_check(examination.report, checks::kLoads, error.what()).outcome = CheckOutcome::kFail;
  return false;
}

}  // namespace

bool check_runtime(Examination& examination) {
  runtime::LiteRtApi::load(current_context().litert_library);  // its absence is no fault of the model
  if (examination.subject.signature() == nullptr) {
    const KindNames& names = examination.kind.names();
    return fails_to_load(
        examination,
        Error(ErrorCode::kMismatch, fmt::format("it has no signature '{}' for {}s that sealite converted",
                                                names.signature, names.part)));
  }
  double repeats = 0;
  {
    const Stopwatch stopwatch;
    std::unique_ptr<Runner> runner;
    try {
      runner = load(examination, 1);
    } catch (const Error& error) {
      return fails_to_load(examination, error);
    }
    examination.report.load_seconds = stopwatch.seconds();
    examination.height = runner->height();
    examination.width = runner->width();
    examination.bits = runner->bits();
    report_loading(examination, *runner);
    examination.pictures = read_pictures(examination);
    repeats = run_pictures(examination, *runner);
    examination.kind.check_plausible(examination, *runner);
  }
  check_repeatable(examination, repeats);
  return true;
}

}  // namespace sealite::verify

#include "sealite/bench.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/stopwatch.h"
#include "measure/loaded_model.h"
#include "measure/matrix_peak.h"
#include "measure/operator_profile.h"
#include "measure/process_memory.h"
#include "measure/statistics.h"

namespace sealite {
namespace {

using namespace measure;
constexpr int kUsualRuns = 50;
constexpr int kLeastRuns = 5;
constexpr double kMostSeconds = 30;     // for each model
constexpr double kWarmUpSeconds = 0.5;  // as LiteRT's benchmark_model
constexpr std::size_t kMostWarmUps = 1000;

BenchWork work_of(const model_file::Workload& workload) {
  BenchWork work;
  std::map<std::string, std::size_t> uncounted;
  for (const model_file::OperatorWork& op : workload.operators) {
    (op.integer_weights ? work.integer_products : work.float_products) += op.multiply_accumulates;
    if (op.uncounted) ++uncounted[op.kind];
  }
  for (const auto& [kind, count] : uncounted) work.uncounted.push_back(fmt::format("{} {}", count, kind));
  return work;
}

/// A model that has run once, and what that told.
struct Subject {
  Candidate candidate;
  runtime::CompiledModel model;
  BenchedModel found;
  std::vector<double> times;
};

Subject start(Candidate candidate, const BenchOptions& options) {
  BenchedModel found;
  found.path = candidate.path;
  found.bytes = candidate.bytes;
  found.signature = candidate.signature;
  found.operators = candidate.work.operators.size();
  found.work = work_of(candidate.work);
  reset_peak_memory();
  const ProcessMemory before = read_process_memory();
  const Stopwatch stopwatch;
  runtime::CompiledModel model = load(candidate, options, false);
  found.load_seconds = stopwatch.seconds();
  const ProcessMemory loaded = read_process_memory();
  found.first_seconds = time_run(model);
  const ProcessMemory run = read_process_memory();
  found.memory = {before.resident, loaded.resident, run.resident,      before.unshared,
                  loaded.unshared, run.unshared,    read_peak_memory()};
  found.fully_delegated = model.fully_delegated();
  return {std::move(candidate), std::move(model), std::move(found), {}};
}

void warm_up(Subject& subject) {
  std::vector<double> times;
  const Stopwatch stopwatch;
  do {
    times.push_back(time_run(subject.model));
  } while (stopwatch.seconds() < kWarmUpSeconds && times.size() < kMostWarmUps);
  subject.found.warm_up = summarize(std::move(times));
}

/// Each subject once in every round, the first and the last taking turns: what drifts, drifts for both.
void time_rounds(std::vector<Subject*> subjects, int runs) {
  const int most = runs > 0 ? runs : kUsualRuns;
  Progress progress("measuring", static_cast<std::uint64_t>(most));
  const Stopwatch stopwatch;
  for (int round = 0; round < most; ++round) {
    const bool enough = stopwatch.seconds() > kMostSeconds * static_cast<double>(subjects.size());
    if (runs == 0 && round >= kLeastRuns && enough) break;
    for (Subject* subject : subjects) subject->times.push_back(time_run(subject->model));
    std::ranges::reverse(subjects);
    progress.advance(1);
  }
}

}  // namespace

double share_of_peak(const BenchedModel& model, const MatrixPeak& peak) {
  const double at_peak = static_cast<double>(model.work.float_products) / peak.float32 +
                         static_cast<double>(model.work.integer_products) / peak.int8;
  return at_peak / model.steady.median;
}

BenchReport bench_model(const std::filesystem::path& model, const BenchOptions& options) {
  const InContext scope(options.context);
  if (options.runs < 0) fail(ErrorCode::kUsage, "runs: {}", options.runs);
  // Both files are looked at before anything takes time.
  std::vector<Candidate> candidates{check_candidate(model, options.signature)};
  if (!options.versus.empty()) candidates.push_back(check_candidate(options.versus, options.signature));
  BenchReport report;
  report.threads = options.threads;
  report.processor = processor_name();
  report.runtime = runtime::LiteRtApi::load(current_context().litert_library)->path;
  std::vector<Subject> subjects;
  for (Candidate& candidate : candidates) subjects.push_back(start(std::move(candidate), options));
  for (Subject& subject : subjects) warm_up(subject);
  std::vector<Subject*> all;
  for (Subject& subject : subjects) all.push_back(&subject);
  time_rounds(all, options.runs);
  if (subjects.size() > 1) report.ratio = compare(subjects[0].times, subjects[1].times);
  std::vector<BenchedModel> found;
  std::vector<Candidate> checked;
  for (Subject& subject : subjects) {
    found.push_back(std::move(subject.found));
    found.back().steady = summarize(std::move(subject.times));
    checked.push_back(std::move(subject.candidate));
  }
  subjects.clear();  // gives their memory back
  for (std::size_t i = 0; options.profile && i < found.size(); ++i)
    found[i].profile = measure_profile(checked[i], options);
  if (options.peak) report.peak = measure_matrix_peak(options);
  report.model = std::move(found[0]);
  if (found.size() > 1) report.versus = std::move(found[1]);
  return report;
}

}  // namespace sealite

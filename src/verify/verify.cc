#include "sealite/verify.h"

#include <algorithm>

#include "base/context.h"
#include "base/error.h"
#include "base/image_shape.h"
#include "base/stopwatch.h"
#include "verify/checkpoint_checks.h"
#include "verify/numbers.h"
#include "verify/runtime_checks.h"
#include "verify/saved_tensors.h"
#include "verify/verify.h"

namespace sealite {
namespace {

using verify::Examination;
using verify::Original;
using verify::Subject;

void check_saved(Examination& examination) {
  std::vector<verify::Expected> expected;
  for (std::size_t i = 0; i < examination.pictures.size(); ++i) {
    const std::optional<std::vector<float>>& saved = examination.pictures[i].saved;
    if (saved) expected.push_back({i, *saved});
  }
  if (expected.empty()) return;
  examination.report.compared.push_back(verify::SavedTensors(examination.options.reference).origin());
  check_numbers(examination, expected, verify::checks::kReference);
}

// What `embed` will do with the model; without metadata what the card says.
std::optional<watermark::Marking> marking_of(const Subject& subject, const Original* original) {
  if (subject.part == Part::kDetector) return std::nullopt;
  if (subject.claims) return verify::claims_marking(*subject.claims);
  if (original == nullptr) return std::nullopt;
  return original->marking();
}

void examine(Examination& examination, const Original* original) {
  if (!check_runtime(examination)) return;
  for (const model_file::ModelTensor& input : examination.subject.signature()->inputs)
    examination.layout = layout_of_input(input.shape).value_or(examination.layout);
  check_interface(examination, original);
  if (original != nullptr) check_against(examination, *original);
  check_saved(examination);
}

void decide(VerifyReport& report) {
  const auto failed = std::ranges::find(report.checks, CheckOutcome::kFail, &Check::outcome);
  if (failed != report.checks.end()) {
    report.verdict = Verdict::kFails;
    const auto count = std::ranges::count(report.checks, CheckOutcome::kFail, &Check::outcome);
    report.reason = failed->title + ": " + failed->finding;
    if (count > 1) report.reason += fmt::format(" ({} checks fail.)", count);
  } else if (!report.compared.empty()) {
    report.verdict = Verdict::kMatches;
    report.reason = fmt::format("Every check passed, within the limits of {} weights.", report.precision);
  } else {
    report.verdict = Verdict::kCannotTell;
    report.reason =
        "It runs, but nothing says what it should compute: give --checkpoint, or --reference with tensors "
        "saved "
        "from PyTorch.";
  }
}

// The file, or why it is none: that is a verdict, not an error.
std::optional<Subject> try_to_read(const std::filesystem::path& model, VerifyReport& report) {
  try {
    Subject subject = verify::read_subject(model);
    report.bytes = subject.info.file_bytes;
    report.part = verify::kind_of(subject.part).names().part;
    report.card = subject.claims ? subject.claims->model : "";
    report.precision = subject.precision;
    for (const auto& [name, count] : subject.info.operators) report.operators += count;
    return subject;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformed) throw;
    verify::add_check(report, verify::checks::kLoads, error.what()).outcome = CheckOutcome::kFail;
    return std::nullopt;
  }
}

}  // namespace

namespace verify {

VerifyReport examine_model(const std::filesystem::path& model, const VerifyOptions& options,
                           const pixels::PictureReader& read_picture) {
  const InContext scope(options.context);
  const Stopwatch stopwatch;
  VerifyReport report;
  report.model = model;
  if (std::optional<Subject> subject = try_to_read(model, report)) {
    const verify::ModelKind& kind = verify::kind_of(subject->part);
    std::optional<Original> original;
    if (!options.checkpoint.empty()) original.emplace(options, kind);
    const Original* const known = original ? &*original : nullptr;
    const verify::Limits& limits = verify::limits_for(subject->part, subject->precision);
    std::optional<watermark::Marking> marking = marking_of(*subject, known);
    Examination examination{options, read_picture, std::move(*subject), kind, limits, marking, {},
                            {},      report};
    examine(examination, known);
  }
  decide(report);
  report.total_seconds = stopwatch.seconds();
  return report;
}

}  // namespace verify
}  // namespace sealite

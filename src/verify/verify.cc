#include "sealite/verify.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "verify/checkpoint_checks.h"
#include "verify/numbers.h"
#include "verify/runtime_checks.h"

namespace sealite {
namespace {

using verify::Examination;
using verify::Original;
using verify::Subject;

void check_saved(Examination& examination) {
  std::vector<ComparedLogits> compared;
  for (std::size_t i = 0; i < examination.pictures.size(); ++i) {
    const verify::Picture& picture = examination.pictures[i];
    if (picture.saved) compared.push_back({picture.name, *picture.saved, examination.outputs[i]});
  }
  if (compared.empty()) return;
  check_numbers(examination, compared, "reference", "the saved tensors");
  if (examination.report.logits.empty()) examination.report.logits = std::move(compared);
}

void examine(Examination& examination, const Original* original) {
  if (!check_runtime(examination)) return;
  const Shape& input = examination.subject.signature()->inputs.at(0).shape;
  examination.nchw = input.size() == 4 && input[1] == 3;
  check_interface(examination, original);
  if (original != nullptr) check_against(examination, *original);
  check_saved(examination);
}

void decide(VerifyReport& report) {
  const auto failed = std::ranges::find(report.checks, CheckOutcome::kFail, &Check::outcome);
  const auto compared = std::ranges::find_if(
      report.checks, [](const Check& check) { return check.name.ends_with("-numbers"); });
  if (failed != report.checks.end()) {
    report.verdict = Verdict::kFails;
    const auto count = std::ranges::count(report.checks, CheckOutcome::kFail, &Check::outcome);
    report.reason = failed->title + ": " + failed->finding;
    if (count > 1) report.reason += fmt::format(" ({} checks fail.)", count);
  } else if (compared != report.checks.end()) {
    report.verdict = Verdict::kProved;
    report.reason =
        fmt::format("Every check passed: it computes what the original computes, within the limits of {}.",
                    report.precision);
  } else {
    report.verdict = Verdict::kCannotTell;
    report.reason =
        "It runs, but nothing says what it should compute: give --checkpoint, or --reference with tensors "
        "saved "
        "from PyTorch.";
  }
}

}  // namespace

VerifyReport verify_model(const std::filesystem::path& model, const VerifyOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<Original> original;
  if (!options.checkpoint.empty()) original.emplace(options);
  VerifyReport report;
  report.model = model;
  try {
    Subject subject = verify::read_subject(model);
    report.bytes = subject.info.file_bytes;
    report.card = subject.claims ? subject.claims->card : "";
    report.precision = subject.precision;
    for (const auto& [name, count] : subject.info.operators) report.operators += count;
    const verify::Limits& limits = verify::limits_for(subject.precision);
    Examination examination{options, std::move(subject), limits, {}, {}, report};
    examine(examination, original ? &*original : nullptr);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformed || !report.checks.empty()) throw;
    verify::add_check(report, "loads", "Loads in the real runtime", error.what()).outcome =
        CheckOutcome::kFail;
  }
  decide(report);
  report.total_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace sealite

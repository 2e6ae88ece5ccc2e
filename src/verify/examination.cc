#include "verify/examination.h"

#include <algorithm>

namespace sealite::verify {

bool within(const Figure& figure) {
  return (!figure.at_most || figure.value <= *figure.at_most) &&
         (!figure.at_least || figure.value >= *figure.at_least);
}

Check& add_check(VerifyReport& report, const CheckName& name, std::string finding,
                 std::vector<Figure> figures) {
  const bool pass = std::ranges::all_of(figures, within);
  report.checks.push_back({std::string(name.name), std::string(name.title),
                           pass ? CheckOutcome::kPass : CheckOutcome::kFail, std::move(finding),
                           std::move(figures)});
  return report.checks.back();
}

}  // namespace sealite::verify

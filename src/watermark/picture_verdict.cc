#include "sealite/picture_verdict.h"

#include <cmath>

#include "base/error.h"

namespace sealite {

PictureVerdict judge(double log10_p_value, double rate) {
  constexpr double kLog10Suspicious = -3;
  if (!(rate > 0 && rate <= 1))
    fail(ErrorCode::kUsage, "a false-positive rate of {} is none: above 0, at most 1", rate);
  if (log10_p_value <= std::log10(rate)) return PictureVerdict::kMarked;
  return log10_p_value > kLog10Suspicious ? PictureVerdict::kNotMarked : PictureVerdict::kCannotTell;
}

const char* picture_verdict_name(PictureVerdict verdict) {
  constexpr const char* kNames[] = {"marked", "not marked", "cannot tell"};
  return kNames[static_cast<std::size_t>(verdict)];
}

}  // namespace sealite

#pragma once

#include <cstdint>

namespace sealite {

/// What one picture's p-value says at a wanted false-positive rate (docs/false-positives.md).
enum class PictureVerdict : std::uint8_t {
  kMarked,      ///< p is at most the rate.
  kNotMarked,   ///< p is above 1e-3: unmarked pictures are like that.
  kCannotTell,  ///< Between: unmarked pictures seldom are, marked and damaged ones often.
};

/// Throws kUsage for a rate that is not above 0 and at most 1.
PictureVerdict judge(double log10_p_value, double rate);

/// "marked", "not marked", "cannot tell".
const char* picture_verdict_name(PictureVerdict verdict);

}  // namespace sealite

#pragma once

#include <optional>

#include "sealite/pixels.h"

namespace sealite::pixels {

/// How alike two pictures are.
struct Similarity {
  /// Peak signal-to-noise ratio over all RGB values, in dB; infinite for equal pictures.
  double psnr = 0;
  /// Mean structural similarity of the luma: Gaussian window of 11 x 11, sigma 1.5, only where it fits into
  /// the picture (Wang et al. 2004); absent for pictures below 11 pixels a side.
  std::optional<double> ssim;
};

/// Compares pictures of one size; kInternal for others. Does not depend on the number of threads. Beside the
/// pictures each thread holds a few rows of floats.
Similarity compare(const PixelView& original, const PixelView& changed);

}  // namespace sealite::pixels

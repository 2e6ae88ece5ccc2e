#include "pixels/similarity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "pixels/luma.h"
#include "pixels/rgb_rows.h"

namespace sealite::pixels {
namespace {

constexpr std::size_t kWindow = 11;
constexpr std::size_t kStrip = 32;  // rows that one task compares

/// Sum of squared differences of the rows [first, last).
std::uint64_t squared_error(const RgbRows& a, const RgbRows& b, std::size_t first, std::size_t last) {
  std::vector<std::uint8_t> scratch(static_cast<std::size_t>(a.width()) * 6);
  const auto [left_scratch, right_scratch] =
      std::pair(std::span(scratch).first(scratch.size() / 2), std::span(scratch).last(scratch.size() / 2));
  std::uint64_t sum = 0;
  for (std::size_t y = first; y < last; ++y) {
    const auto left = a.row(static_cast<std::int64_t>(y), left_scratch);
    const auto right = b.row(static_cast<std::int64_t>(y), right_scratch);
    for (std::size_t i = 0; i < left.size(); ++i) {
      const int difference = int{left[i]} - int{right[i]};
      sum += static_cast<std::uint64_t>(difference * difference);
    }
  }
  return sum;
}

std::array<float, kWindow> gaussian() {
  std::array<double, kWindow> weights = {};
  for (std::size_t i = 0; i < kWindow; ++i) {
    const double distance = static_cast<double>(i) - 5;
    weights[i] = std::exp(-distance * distance / (2 * 1.5 * 1.5));
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::array<float, kWindow> normalised = {};
  std::ranges::transform(weights, normalised.begin(),
                         [&](double w) { return static_cast<float>(w / total); });
  return normalised;
}

/// Luma less 128, so that the squares that variances are differences of stay small.
std::vector<float> centred_luma(const RgbRows& rows, std::size_t first, std::size_t last) {
  const auto width = static_cast<std::size_t>(rows.width());
  std::vector<std::uint8_t> scratch(width * 3);
  std::vector<float> values((last - first) * width);
  for (std::size_t y = first; y < last; ++y) {
    const auto rgb = rows.row(static_cast<std::int64_t>(y), scratch);
    float* const out = values.data() + (y - first) * width;
    for (std::size_t i = 0; i < width; ++i) {
      out[i] = luma(static_cast<float>(rgb[3 * i]), static_cast<float>(rgb[3 * i + 1]),
                    static_cast<float>(rgb[3 * i + 2])) -
               128.0F;
    }
  }
  return values;
}

/// The five local means that SSIM is made of, for a row: of x, y, x^2, y^2 and xy.
using Moments = std::array<std::vector<float>, 5>;

/// Weighs kWindow rows that start at `x` and `y`.
void filter_down(const float* x, const float* y, std::size_t width, const std::array<float, kWindow>& weights,
                 Moments& sums) {
  for (auto& sum : sums) std::ranges::fill(sum, 0.0F);
  for (const float weight : weights) {
    for (std::size_t i = 0; i < width; ++i) {
      const float a = weight * x[i];
      const float b = weight * y[i];
      sums[0][i] += a;
      sums[1][i] += b;
      sums[2][i] += a * x[i];
      sums[3][i] += b * y[i];
      sums[4][i] += a * y[i];
    }
    x += width;
    y += width;
  }
}

void filter_across(const Moments& in, std::size_t outputs, const std::array<float, kWindow>& weights,
                   Moments& means) {
  for (std::size_t q = 0; q < in.size(); ++q) {
    std::ranges::fill(means[q], 0.0F);
    for (std::size_t k = 0; k < kWindow; ++k) {
      for (std::size_t i = 0; i < outputs; ++i) means[q][i] += weights[k] * in[q][i + k];
    }
  }
}

double ssim_sum(const Moments& means, std::size_t outputs) {
  constexpr float kC1 = 0.01F * 255 * 0.01F * 255;
  constexpr float kC2 = 0.03F * 255 * 0.03F * 255;
  double sum = 0;
  for (std::size_t i = 0; i < outputs; ++i) {
    const float x = means[0][i];
    const float y = means[1][i];
    const float variances = means[2][i] - x * x + means[3][i] - y * y;
    const float covariance = means[4][i] - x * y;
    const float mx = x + 128.0F;
    const float my = y + 128.0F;
    sum += static_cast<double>((2 * mx * my + kC1) * (2 * covariance + kC2) /
                               ((mx * mx + my * my + kC1) * (variances + kC2)));
  }
  return sum;
}

/// Sum over the windows whose first row is in [first, last).
double ssim_of_rows(const RgbRows& a, const RgbRows& b, std::size_t first, std::size_t last) {
  static const std::array<float, kWindow> kWeights = gaussian();
  const auto width = static_cast<std::size_t>(a.width());
  const std::size_t outputs = width - kWindow + 1;
  const std::vector<float> x = centred_luma(a, first, last + kWindow - 1);
  const std::vector<float> y = centred_luma(b, first, last + kWindow - 1);
  Moments sums;
  Moments means;
  for (auto& row : sums) row.resize(width);
  for (auto& row : means) row.resize(outputs);
  double total = 0;
  for (std::size_t row = 0; row < last - first; ++row) {
    filter_down(x.data() + row * width, y.data() + row * width, width, kWeights, sums);
    filter_across(sums, outputs, kWeights, means);
    total += ssim_sum(means, outputs);
  }
  return total;
}

/// `part(first, last)` for strips of [0, rows), added in their order.
template <typename Sum, typename Part>
Sum sum_strips(std::size_t rows, const Part& part) {
  std::vector<Sum> parts((rows + kStrip - 1) / kStrip);
  parallel_for(parts.size(),
               [&](std::size_t i) { parts[i] = part(i * kStrip, std::min(rows, (i + 1) * kStrip)); });
  return std::accumulate(parts.begin(), parts.end(), Sum{0});
}

}  // namespace

Similarity compare(const PixelView& original, const PixelView& changed) {
  const RgbRows before(original);
  const RgbRows after(changed);
  if (original.height != changed.height || original.width != changed.width) {
    fail(ErrorCode::kInternal, "compared a picture of {}x{} with one of {}x{}", original.height,
         original.width, changed.height, changed.width);
  }
  const auto height = static_cast<std::size_t>(original.height);
  const auto width = static_cast<std::size_t>(original.width);
  Similarity similarity;
  const auto error = sum_strips<std::uint64_t>(
      height, [&](std::size_t first, std::size_t last) { return squared_error(before, after, first, last); });
  const double mean = static_cast<double>(error) / static_cast<double>(height * width * 3);
  similarity.psnr =
      error == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(255.0 * 255.0 / mean);
  if (height < kWindow || width < kWindow) return similarity;
  const std::size_t rows = height - kWindow + 1;
  const auto sum = sum_strips<double>(
      rows, [&](std::size_t first, std::size_t last) { return ssim_of_rows(before, after, first, last); });
  similarity.ssim = sum / (static_cast<double>(rows) * static_cast<double>(width - kWindow + 1));
  return similarity;
}

}  // namespace sealite::pixels

#include "quantize/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "expect_error.h"
#include "float_checks.h"
#include "graph/graph.h"

namespace sealite::quantize {
namespace {

using graph::literal;
using graph::SourcePtr;

Moments moments_of(std::size_t channels) {
  return {std::vector<float>(channels, 0.5F), std::vector<float>(channels, 1.0F)};
}

// What a reader of the file gets back.
std::vector<float> reals(const SourcePtr& source, std::vector<float> scales) {
  graph::Value value{"w", source->type(), source->shape(), source};
  if (source->type() != DType::kFloat16) {
    value.quantization = std::make_shared<graph::Quantization>(graph::Quantization{std::move(scales)});
  }
  return read_reals(value);
}

SourcePtr stored(WeightFormat format, const SourcePtr& weights, const std::vector<float>& scales) {
  if (format == WeightFormat::kFloat16) return halved(weights);
  return format == WeightFormat::kInt8 ? quantized_int8(weights, scales) : quantized_int4(weights, scales);
}

TEST(ScanRows, MaxAbsScaleBoundsEveryErrorByHalfAStep) {
  const Shape shape{9, 34};
  const std::vector<float> values = random_values(shape, 3, -2, 2);
  const SourcePtr weights = literal(shape, values);
  for (const WeightFormat format : {WeightFormat::kInt8, WeightFormat::kInt4}) {
    const RowScan scan = scan_rows("w", *weights, format, ScaleSearch::kMaxAbs, moments_of(34));
    const std::vector<float> back = reals(stored(format, weights, scan.scales), scan.scales);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_LE(std::abs(back[i] - values[i]), 0.5001F * scan.scales[i / 34]);
    }
  }
}

TEST(ScanRows, HalvesAreWithinTheirPrecision) {
  const std::vector<float> values = random_values({4, 10}, 5, -60000, 60000);
  const std::vector<float> back = reals(halved(literal({4, 10}, values)), {});
  expect_near(back, values, 0, 0x1p-11, "half");
}

TEST(ScanRows, SearchNeverRaisesTheSquaredErrorAndHelpsAtFourBits) {
  const Shape shape{16, 256};
  std::vector<float> values = random_values(shape, 7);
  for (float& value : values) value = value * value * value;  // many small, few large
  const SourcePtr weights = literal(shape, values);
  for (const WeightFormat format : {WeightFormat::kInt8, WeightFormat::kInt4}) {
    double errors[2];
    for (const ScaleSearch search : {ScaleSearch::kMaxAbs, ScaleSearch::kMse}) {
      const RowScan scan = scan_rows("w", *weights, format, search, moments_of(256));
      errors[search == ScaleSearch::kMse] =
          relative_error(reals(stored(format, weights, scan.scales), scan.scales), values);
    }
    EXPECT_LE(errors[1], errors[0]);
    if (format == WeightFormat::kInt4) {
      EXPECT_LT(errors[1], 0.95 * errors[0]);
    }
  }
}

TEST(ScanRows, ShiftsAreWhatRoundingTakesFromTheMean) {
  const Shape shape{5, 64};
  const std::vector<float> values = random_values(shape, 11);
  const SourcePtr weights = literal(shape, values);
  Moments input{random_values({64}, 12), std::vector<float>(64, 1.0F)};
  for (const WeightFormat format : {WeightFormat::kFloat16, WeightFormat::kInt8, WeightFormat::kInt4}) {
    const RowScan scan = scan_rows("w", *weights, format, ScaleSearch::kMse, input);
    const std::vector<float> back = reals(stored(format, weights, scan.scales), scan.scales);
    for (std::size_t row = 0; row < 5; ++row) {
      double shift = 0;
      double sum = 0;
      for (std::size_t i = 0; i < 64; ++i) {
        const auto mean = static_cast<double>(input.mean[i]);
        shift += (static_cast<double>(values[row * 64 + i]) - static_cast<double>(back[row * 64 + i])) * mean;
        sum += static_cast<double>(values[row * 64 + i]) * mean;
      }
      EXPECT_NEAR(scan.shifts[row], shift, 1e-5) << format_name(format);
      EXPECT_NEAR(scan.sums[row], sum, 1e-5);
    }
  }
}

TEST(ScanRows, RowsOfZerosAndOneHugeOutlier) {
  std::vector<float> values(3 * 32, 0.0F);
  values[32 + 5] = 1e30F;
  values[32 + 6] = 1.0F;
  const SourcePtr weights = literal({3, 32}, values);
  const RowScan scan = scan_rows("w", *weights, WeightFormat::kInt8, ScaleSearch::kMse, moments_of(32));
  EXPECT_EQ(scan.scales[0], 1.0F);
  const std::vector<float> back = reals(quantized_int8(weights, scan.scales), scan.scales);
  EXPECT_NEAR(back[32 + 5] / 1e30F, 1.0F, 1e-3);
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(back[i], 0.0F);
}

TEST(ScanRows, RefusesWhatHasNoRoundedForm) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(4 * 32, 0.5F);
    values[2 * 32 + 9] = bad;
    const SourcePtr weights = literal({4, 32}, values);
    for (const WeightFormat format : {WeightFormat::kFloat16, WeightFormat::kInt8, WeightFormat::kInt4}) {
      expect_error(ErrorCode::kMalformed, {"'layer.weight'", "channel 2"},
                   [&] { scan_rows("layer.weight", *weights, format, ScaleSearch::kMse, moments_of(32)); });
    }
  }
  const SourcePtr large = literal({1, 32}, std::vector<float>(32, 7e4F));
  expect_error(ErrorCode::kMalformed, {"'big'", "65504", "--keep"},
               [&] { scan_rows("big", *large, WeightFormat::kFloat16, ScaleSearch::kMse, moments_of(32)); });
}

TEST(Integers, FourBitsPackLowNibbleFirst) {
  const SourcePtr source = literal_integers(DType::kInt4, {1, 4}, {1, -2, 7, -7});
  std::vector<std::byte> bytes(2);
  source->read({0, 1}, bytes);
  EXPECT_EQ(bytes[0], std::byte{0xE1});
  EXPECT_EQ(bytes[1], std::byte{0x97});
  EXPECT_EQ(reals(source, {0.5F}), (std::vector<float>{0.5F, -1.0F, 3.5F, -3.5F}));
}

TEST(Integers, AnyRangeOfRowsAgreesWithTheWhole) {
  const Shape shape{7, 12};
  const SourcePtr weights = literal(shape, random_values(shape, 21));
  const RowScan scan = scan_rows("w", *weights, WeightFormat::kInt8, ScaleSearch::kMse, moments_of(12));
  for (const SourcePtr& source :
       {quantized_int8(weights, scan.scales), quantized_int4(weights, scan.scales), halved(weights)}) {
    std::vector<std::byte> whole(source->byte_size());
    source->read({0, 7}, whole);
    std::vector<std::byte> part(2 * source->bytes_per_row());
    source->read({3, 5}, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(),
                           whole.begin() + static_cast<std::ptrdiff_t>(3 * source->bytes_per_row())));
  }
}

}  // namespace
}  // namespace sealite::quantize

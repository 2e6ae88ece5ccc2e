#include "measure/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "measure/operator_profile.h"
#include "measure/process_memory.h"

namespace sealite::measure {
namespace {

std::vector<double> counted(std::size_t count) {
  std::vector<double> values(count);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(Statistics, Quantiles) {
  EXPECT_EQ(quantile({}, 0.5), 0);
  EXPECT_EQ(quantile({7}, 0.25), 7);
  EXPECT_EQ(quantile({1, 2, 3, 4}, 0.5), 2.5);
  EXPECT_EQ(quantile({1, 2, 3, 4, 5}, 0.25), 2);
  EXPECT_EQ(quantile({1, 2, 3}, 0), 1);
  EXPECT_EQ(quantile({1, 2, 3}, 1), 3);
}

TEST(Statistics, Summary) {
  const RunTimes times = summarize({4, 1, 3, 2, 10});
  EXPECT_EQ(times.runs, 5U);
  EXPECT_EQ(times.minimum, 1);
  EXPECT_EQ(times.median, 3);
  EXPECT_EQ(times.maximum, 10);
  EXPECT_EQ(times.mean, 4);
  EXPECT_DOUBLE_EQ(times.deviation, std::sqrt(50.0 / 4));
  EXPECT_EQ(summarize({}).runs, 0U);
  EXPECT_EQ(summarize({2}).deviation, 0);
}

// Against the usual tables of the sign test: the ranks of the 95 % interval.
TEST(Statistics, MedianIntervalHasTheRanksOfTheTables) {
  struct Row {
    std::size_t n;
    double low;
    double coverage;
  };
  for (const Row& row : {Row{6, 1, 0.9688}, Row{8, 1, 0.9922}, Row{9, 2, 0.9609}, Row{10, 2, 0.9785},
                         Row{20, 6, 0.9586}, Row{50, 18, 0.9672}}) {
    const MedianInterval interval = median_interval(counted(row.n));
    EXPECT_EQ(interval.low, row.low) << row.n;
    EXPECT_EQ(interval.high, static_cast<double>(row.n) + 1 - row.low) << row.n;
    EXPECT_NEAR(interval.coverage, row.coverage, 5e-5) << row.n;
  }
}

TEST(Statistics, MedianIntervalOfFewAndOfMany) {
  EXPECT_EQ(median_interval({}).coverage, 0);
  EXPECT_NEAR(median_interval({3}).coverage, 0, 1e-12);
  EXPECT_NEAR(median_interval(counted(5)).coverage, 0.9375, 1e-12);
  EXPECT_EQ(median_interval(counted(5)).low, 1);
  const MedianInterval many = median_interval(counted(100000));
  EXPECT_GE(many.coverage, 0.95);
  EXPECT_NEAR(many.coverage, 0.95, 1e-3);
  EXPECT_NEAR(many.low, 50000 - 1.96 * std::sqrt(100000) / 2, 5);
}

TEST(Statistics, MedianIntervalEnclosesTheMedianAsOftenAsItSays) {
  std::mt19937 random(7);
  std::exponential_distribution<double> skewed(1);
  int enclosed = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(15);
    std::ranges::generate(values, [&] { return skewed(random); });
    std::ranges::sort(values);
    const MedianInterval interval = median_interval(values);
    enclosed += interval.low <= std::log(2.0) && std::log(2.0) <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(enclosed) / kTrials, median_interval(counted(15)).coverage, 0.01);
}

TEST(Statistics, PairedRatios) {
  const PairedRatio ratio = compare({1, 2, 4, 8}, {2, 2, 2, 24});
  EXPECT_EQ(ratio.pairs, 4U);
  EXPECT_DOUBLE_EQ(ratio.of_medians, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(ratio.median, 1.5);  // of 0.5, 1, 2, 3
  EXPECT_DOUBLE_EQ(ratio.lower_quartile, 0.875);
  EXPECT_DOUBLE_EQ(ratio.upper_quartile, 2.25);
  EXPECT_EQ(compare({}, {}).pairs, 0U);
}

// The whole machine is slow for half the time: the paired ratio does not see it.
TEST(Statistics, PairedRatiosDoNotSeeDrift) {
  std::vector<double> base;
  std::vector<double> other;
  for (int i = 0; i < 50; ++i) {
    const double drift = i < 25 ? 1 : 3;
    base.push_back(drift);
    other.push_back(drift * 0.5);
  }
  const PairedRatio ratio = compare(base, other);
  EXPECT_DOUBLE_EQ(ratio.median, 0.5);
  EXPECT_DOUBLE_EQ(ratio.median_interval.low, 0.5);
  EXPECT_DOUBLE_EQ(ratio.median_interval.high, 0.5);
}

TEST(Profile, TellsProductsByTheirNames) {
  for (const char* name : {"Convolution (NHWC, F32) DWConv", "Fully Connected (NC, QDU8, F32, QC8W) GEMM",
                           "Batch Matrix Multiply (NC, F32) GEMM", "CONV_2D"}) {
    EXPECT_TRUE(is_product_name(name)) << name;
  }
  for (const char* name : {"Convert (NC, F32, QDU8)", "Multiply (ND)", "MIRROR_PAD", ""}) {
    EXPECT_FALSE(is_product_name(name)) << name;
  }
}

TEST(ProcessMemory, KernelFigures) {
  const std::string text =
      "55d0-7ffe ---p [rollup]\nRss:       123 kB\nPss:  5 kB\nVmHWM:\t  7 kB\nBroken: x\n";
  EXPECT_EQ(kernel_figure(text, "Rss"), 123U * 1024);
  EXPECT_EQ(kernel_figure(text, "VmHWM"), 7U * 1024);
  EXPECT_EQ(kernel_figure(text, "Broken"), 0U);
  EXPECT_EQ(kernel_figure(text, "Absent"), 0U);
  EXPECT_EQ(kernel_figure(text, "Rs"), 0U);
  EXPECT_EQ(kernel_figure("", "Rss"), 0U);
}

TEST(ProcessMemory, GrowsWithWhatIsTouched) {
  constexpr std::size_t kBytes = 64U << 20U;
  reset_peak_memory();
  const ProcessMemory before = read_process_memory();
  EXPECT_GT(before.resident, 0U);
  {
    const std::vector<char> block(kBytes, 1);
    const ProcessMemory after = read_process_memory();
    EXPECT_GE(after.resident, before.resident + kBytes / 2);
    EXPECT_TRUE(before.unshared == 0 || after.unshared >= before.unshared + kBytes / 2);
  }
  EXPECT_GE(read_peak_memory(), before.resident + kBytes / 2);
}

}  // namespace
}  // namespace sealite::measure

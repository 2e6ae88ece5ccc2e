#include "sealite/bench.h"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"
#include "runtime/litert_library.h"

namespace sealite {
namespace {

std::filesystem::path data(const std::string& name) {
  return std::filesystem::path(SEALITE_SOURCE_DIR "/tests/runtime/data") / name;
}

BenchOptions quick() {
  BenchOptions options;
  options.runs = 6;
  options.peak = false;
  options.context.litert_library = runtime::litert_library();
  return options;
}

void expect_times(const RunTimes& times, std::size_t runs) {
  EXPECT_EQ(times.runs, runs);
  EXPECT_GT(times.minimum, 0);
  EXPECT_LE(times.minimum, times.median);
  EXPECT_LE(times.median, times.maximum);
  EXPECT_GE(times.mean, times.minimum);
  EXPECT_LE(times.mean, times.maximum);
  EXPECT_TRUE(std::isfinite(times.deviation));
  EXPECT_LE(times.median_interval.low, times.median);
  EXPECT_GE(times.median_interval.high, times.median);
}

TEST(Bench, MeasuresOtherProjectsModels) {
  const BenchReport report = bench_model(data("dynamic.tflite"), quick());
  EXPECT_EQ(report.model.signature, "serve");
  EXPECT_EQ(report.model.operators, 2U);
  EXPECT_TRUE(report.model.fully_delegated);
  EXPECT_GT(report.model.load_seconds, 0);
  EXPECT_GT(report.model.first_seconds, 0);
  EXPECT_GE(report.model.warm_up.runs, 1U);
  expect_times(report.model.steady, 6);
  EXPECT_EQ(report.model.work.float_products, 12U);
  EXPECT_EQ(report.model.work.integer_products, 0U);
  EXPECT_TRUE(report.model.work.uncounted.empty());
  EXPECT_GT(report.model.memory.resident_before, 0U);
  EXPECT_GE(report.model.memory.peak, report.model.memory.resident_before);
  EXPECT_FALSE(report.versus);
  EXPECT_FALSE(report.ratio);
  EXPECT_FALSE(report.peak);
  EXPECT_EQ(report.runtime, runtime::litert_library());
}

TEST(Bench, EverySignatureWithAnyInputs) {
  BenchOptions options = quick();
  options.signature = "shift";
  EXPECT_EQ(bench_model(data("two_signatures.tflite"), options).model.signature, "shift");
  options.signature.clear();
  EXPECT_EQ(bench_model(data("two_signatures.tflite"), options).model.signature, "scale");
  EXPECT_EQ(bench_model(data("no_signature.tflite"), options).model.operators, 1U);
}

TEST(Bench, ProfilesWhatXnnpackTookAndWhatItDidNot) {
  BenchOptions options = quick();
  options.profile = true;
  const BenchReport report = bench_model(data("dynamic.tflite"), options);
  ASSERT_TRUE(report.model.profile);
  const BenchProfile& profile = *report.model.profile;
  EXPECT_GE(profile.runs, 3U);
  EXPECT_GE(profile.kinds.size(), 2U);
  EXPECT_LE(profile.operator_seconds, profile.run_seconds);
  ASSERT_EQ(profile.layers.size(), 1U);
  EXPECT_EQ(profile.layers[0].kind, "FULLY_CONNECTED");
  EXPECT_EQ(profile.layers[0].name, "t_y");
  EXPECT_EQ(profile.layers[0].multiply_accumulates, 12U);
  const BenchReport builtin = bench_model(data("mirror_pad.tflite"), options);
  EXPECT_FALSE(builtin.model.fully_delegated);
  ASSERT_EQ(builtin.model.profile->kinds.size(), 1U);
  EXPECT_EQ(builtin.model.profile->kinds[0].name, "MIRROR_PAD");
  EXPECT_TRUE(builtin.model.profile->layers.empty());
}

TEST(Bench, ComparesPairs) {
  BenchOptions options = quick();
  options.versus = data("mirror_pad.tflite");
  options.threads = 2;
  const BenchReport report = bench_model(data("dynamic.tflite"), options);
  ASSERT_TRUE(report.versus);
  ASSERT_TRUE(report.ratio);
  expect_times(report.versus->steady, 6);
  EXPECT_EQ(report.ratio->pairs, 6U);
  EXPECT_GT(report.ratio->of_medians, 0);
  EXPECT_LE(report.ratio->lower_quartile, report.ratio->median);
  EXPECT_GE(report.ratio->upper_quartile, report.ratio->median);
}

TEST(Bench, TheShareAddsFloatAndIntegerProducts) {
  BenchedModel model;
  model.work.float_products = 100;
  model.work.integer_products = 400;
  model.steady.median = 4;
  EXPECT_DOUBLE_EQ(share_of_peak(model, {100, 400}), 0.5);
}

TEST(Bench, Errors) {
  const auto refuses = [](ErrorCode code, const std::string& name, std::string_view part) {
    expect_error(code, {part}, [&] { bench_model(data(name), quick()); });
  };
  refuses(ErrorCode::kNotFound, "absent.tflite", "absent.tflite");
  refuses(ErrorCode::kMalformed, "make_models.py", "make_models.py");
  refuses(ErrorCode::kUnsupported, "int32.tflite", "int32");
  BenchOptions options = quick();
  options.signature = "detect";
  expect_error(ErrorCode::kUsage, {"'detect'", "'scale' 'shift'"},
               [&] { bench_model(data("two_signatures.tflite"), options); });
  options = quick();
  options.versus = data("absent.tflite");
  expect_error(ErrorCode::kNotFound, {"absent.tflite"},
               [&] { bench_model(data("dynamic.tflite"), options); });
  options = quick();
  options.runs = -1;
  expect_error(ErrorCode::kUsage, {"runs"}, [&] { bench_model(data("dynamic.tflite"), options); });
  options = quick();
  options.threads = 0;
  expect_error(ErrorCode::kUsage, {"threads"}, [&] { bench_model(data("dynamic.tflite"), options); });
  options = quick();
  options.context.litert_library = data("dynamic.tflite");
  expect_error(ErrorCode::kUnsupported, {"LiteRT"}, [&] { bench_model(data("dynamic.tflite"), options); });
}

}  // namespace
}  // namespace sealite

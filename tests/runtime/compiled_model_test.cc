#include "runtime/compiled_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>

#include "base/error.h"
#include "litert_library.h"

namespace sealite::runtime {
namespace {

std::filesystem::path data(const std::string& name) {
  return std::filesystem::path(SEALITE_SOURCE_DIR "/tests/runtime/data") / name;
}

RunOptions run_options() {
  RunOptions options;
  options.library = litert_library();
  return options;
}

CompiledModel open(const std::string& name, std::string_view signature = "serve") {
  return CompiledModel(data(name), signature, run_options());
}

/// Expects that `body` throws an Error of `code` whose message contains `part`.
template <typename Body>
void expect_error(ErrorCode code, std::string_view part, Body&& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected one with: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

/// What dynamic.tflite computes for one [2, 3] item.
void append_expected(std::span<const float> item, std::vector<float>& out) {
  for (std::size_t row = 0; row < 2; ++row) {
    const float a = item[row * 3];
    const float b = 10 * item[row * 3 + 1];
    const float c = 100 * item[row * 3 + 2];
    out.push_back(a + b + c + 0.5F);
    out.push_back(a - b);
  }
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    path_ = std::filesystem::temp_directory_path() / fmt::format("sealite-runtime-{}", getpid());
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(CompiledModel, RunsEachSignature) {
  CompiledModel scale = open("two_signatures.tflite", "scale");
  ASSERT_EQ(scale.inputs().size(), 1U);
  EXPECT_EQ(scale.inputs()[0].name, "x");
  EXPECT_EQ(scale.inputs()[0].type, DType::kFloat32);
  EXPECT_EQ(scale.inputs()[0].shape, (Shape{1, 4}));
  EXPECT_TRUE(scale.fully_delegated());
  EXPECT_EQ(scale.output_shape(0), (Shape{1, 4}));
  scale.write_input(0, std::vector<float>{1, 2, 3, -4});
  scale.run();
  EXPECT_EQ(scale.read_output(0), (std::vector<float>{2, 4, 6, -8}));

  CompiledModel shift = open("two_signatures.tflite", "shift");
  ASSERT_EQ(shift.inputs().size(), 2U);
  ASSERT_EQ(shift.outputs().size(), 2U);
  const std::size_t sum = shift.outputs()[0].name == "sum" ? 0 : 1;
  EXPECT_EQ(shift.outputs()[sum].name, "sum");
  EXPECT_EQ(shift.outputs()[1 - sum].name, "difference");
  const std::size_t a = shift.inputs()[0].name == "a" ? 0 : 1;
  shift.write_input(a, std::vector<float>{1, 2, 3, 4, 5, 6});
  shift.write_input(1 - a, std::vector<float>{1, 1, 1, 2, 2, 2});
  shift.run();
  EXPECT_EQ(shift.read_output(sum), (std::vector<float>{2, 3, 4, 6, 7, 8}));
  EXPECT_EQ(shift.read_output(1 - sum), (std::vector<float>{0, 1, 2, 2, 3, 4}));
}

TEST(CompiledModel, RunsAgainWithNewInputAndAfterAMove) {
  CompiledModel first = open("two_signatures.tflite", "scale");
  first.write_input(0, std::vector<float>{1, 2, 3, 4});
  first.run();
  CompiledModel second = std::move(first);
  EXPECT_EQ(second.read_output(0), (std::vector<float>{2, 4, 6, 8}));
  second.write_input(0, std::vector<float>{5, 6, 7, 8});
  second.run();
  EXPECT_EQ(second.read_output(0), (std::vector<float>{10, 12, 14, 16}));
}

TEST(CompiledModel, DynamicBatchRunsAtEverySize) {
  CompiledModel model = open("dynamic.tflite");
  EXPECT_EQ(model.inputs()[0].shape, (Shape{-1, 2, 3}));
  EXPECT_EQ(model.outputs()[0].shape, (Shape{-1, 2, 2}));
  for (const std::int64_t batch : {3, 1, 7, 7, 64, 2, 1}) {
    model.resize_input(0, {batch, 2, 3});
    EXPECT_EQ(model.input_shape(0), (Shape{batch, 2, 3}));
    EXPECT_EQ(model.output_shape(0), (Shape{batch, 2, 2}));
    std::vector<float> values(static_cast<std::size_t>(batch) * 6);
    std::iota(values.begin(), values.end(), static_cast<float>(batch));
    model.write_input(0, values);
    model.run();
    std::vector<float> expected;
    for (std::size_t i = 0; i < values.size(); i += 6) {
      append_expected(std::span(values).subspan(i, 6), expected);
    }
    EXPECT_EQ(model.read_output(0), expected) << "batch " << batch;
    EXPECT_TRUE(model.fully_delegated());
  }
}

TEST(CompiledModel, FreeShapesMustBeResizedFirst) {
  CompiledModel model = open("dynamic.tflite");
  expect_error(ErrorCode::kUsage, "[-1, 2, 3]", [&] { model.output_shape(0); });
  expect_error(ErrorCode::kUsage, "\"x\"", [&] { model.write_input(0, std::vector<float>(6)); });
  expect_error(ErrorCode::kUsage, "\"x\" is not written", [&] { model.run(); });
}

TEST(CompiledModel, RefusesShapesThatDoNotFit) {
  CompiledModel model = open("dynamic.tflite");
  for (const Shape& shape : std::vector<Shape>{{2, 2, 4}, {2, 6}, {0, 2, 3}, {-1, 2, 3}, {1LL << 31, 2, 3}}) {
    expect_error(ErrorCode::kUsage, "takes shape [-1, 2, 3]", [&] { model.resize_input(0, shape); });
  }
  expect_error(ErrorCode::kUsage, "tensor 1", [&] { model.resize_input(1, {1, 2, 3}); });
  CompiledModel fixed = open("two_signatures.tflite", "scale");
  fixed.resize_input(0, {1, 4});
  expect_error(ErrorCode::kUsage, "takes shape [1, 4]", [&] { fixed.resize_input(0, {2, 4}); });
}

TEST(CompiledModel, AResizeForgetsWhatWasWrittenAndRead) {
  CompiledModel model = open("dynamic.tflite");
  model.resize_input(0, {1, 2, 3});
  model.write_input(0, std::vector<float>(6));
  model.run();
  model.resize_input(0, {2, 2, 3});
  expect_error(ErrorCode::kUsage, "before a run", [&] { model.read_output(0); });
  expect_error(ErrorCode::kUsage, "not written", [&] { model.run(); });
}

TEST(CompiledModel, ChecksSizesIndicesAndTypes) {
  CompiledModel model = open("two_signatures.tflite", "scale");
  expect_error(ErrorCode::kUsage, "takes 4 values, not 3",
               [&] { model.write_input(0, std::vector<float>(3)); });
  expect_error(ErrorCode::kUsage, "tensor 1", [&] { model.write_input(1, std::vector<float>(4)); });
  expect_error(ErrorCode::kUsage, "tensor 5", [&] { model.read_output(5); });
  expect_error(ErrorCode::kUsage, "before a run", [&] { model.read_output(0); });
  CompiledModel integers = open("int32.tflite");
  EXPECT_EQ(integers.inputs()[0].type, DType::kInt32);
  EXPECT_EQ(integers.output_shape(0), (Shape{2}));
  expect_error(ErrorCode::kUsage, "int32", [&] { integers.write_input(0, std::vector<float>(2)); });
}

TEST(CompiledModel, TellsWhatXnnpackDidNotTake) {
  CompiledModel model = open("mirror_pad.tflite");
  EXPECT_FALSE(model.fully_delegated());
  model.write_input(0, std::vector<float>{1, 2, 3});
  model.run();
  EXPECT_EQ(model.read_output(0), (std::vector<float>{3, 2, 1, 2, 3, 2, 1}));
}

TEST(CompiledModel, ProfilesTheOperatorsThatTheRuntimeRuns) {
  RunOptions options = run_options();
  options.profile = true;
  CompiledModel delegated(data("two_signatures.tflite"), "scale", options);
  delegated.write_input(0, std::vector<float>{1, 2, 3, 4});
  for (int run = 0; run < 2; ++run) {
    const std::vector<OperatorTime> times = delegated.run_profiled();
    ASSERT_EQ(times.size(), 1U) << "the delegate as a whole is no operator";
    EXPECT_NE(times[0].name.find("Multiply"), std::string::npos) << times[0].name;
    EXPECT_GE(times[0].seconds, 0);
    EXPECT_LT(times[0].seconds, 60);
  }
  EXPECT_EQ(delegated.read_output(0), (std::vector<float>{2, 4, 6, 8}));
  CompiledModel builtin(data("mirror_pad.tflite"), "serve", options);
  builtin.write_input(0, std::vector<float>{1, 2, 3});
  const std::vector<OperatorTime> times = builtin.run_profiled();
  ASSERT_EQ(times.size(), 1U);
  EXPECT_EQ(times[0].name, "MIRROR_PAD");
  CompiledModel unprofiled = open("mirror_pad.tflite");
  unprofiled.write_input(0, std::vector<float>{1, 2, 3});
  expect_error(ErrorCode::kUnsupported, "profiler", [&] { unprofiled.run_profiled(); });
}

TEST(CompiledModel, UnknownSignatureListsThoseThereAre) {
  expect_error(ErrorCode::kUsage, "\"scale\", \"shift\"", [] { open("two_signatures.tflite", "detect"); });
}

TEST(CompiledModel, BadFiles) {
  expect_error(ErrorCode::kNotFound, "absent.tflite", [] { open("absent.tflite"); });
  expect_error(ErrorCode::kNotFound, "data", [] { open("."); });
  expect_error(ErrorCode::kMalformed, "make_models.py", [] { open("make_models.py"); });
}

// LiteRT 2.3.0 compiles this model without a complaint; the error comes when the tensors are allocated.
TEST(CompiledModel, AModelThatCannotBePreparedSaysWhy) {
  CompiledModel model = open("broken.tflite");
  expect_error(ErrorCode::kMalformed, "failed to prepare", [&] { model.output_shape(0); });
}

TEST(CompiledModel, SeveralThreadsGiveTheSame) {
  RunOptions options = run_options();
  options.threads = 2;
  CompiledModel model(data("two_signatures.tflite"), "scale", options);
  model.write_input(0, std::vector<float>{1, 2, 3, 4});
  model.run();
  EXPECT_EQ(model.read_output(0), (std::vector<float>{2, 4, 6, 8}));
  options.threads = 0;
  expect_error(ErrorCode::kUsage, "threads",
               [&] { CompiledModel(data("dynamic.tflite"), "serve", options); });
}

TEST(CompiledModel, WeightCacheIsWrittenAndReused) {
  const TemporaryFolder folder;
  RunOptions options = run_options();
  options.weight_cache = folder.path() / "with space and 'apostrophe'.xnnpack";
  for (int round = 0; round < 2; ++round) {
    CompiledModel model(data("dynamic.tflite"), "serve", options);
    model.resize_input(0, {1, 2, 3});
    model.write_input(0, std::vector<float>{1, 2, 3, 4, 5, 6});
    model.run();
    EXPECT_EQ(model.read_output(0), (std::vector<float>{321.5F, -19, 654.5F, -46}));
    EXPECT_TRUE(std::filesystem::exists(options.weight_cache));
  }
  options.weight_cache = folder.path() / "quo\"te";
  expect_error(ErrorCode::kUsage, "quote", [&] { CompiledModel(data("dynamic.tflite"), "serve", options); });
}

}  // namespace
}  // namespace sealite::runtime

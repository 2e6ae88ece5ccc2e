#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

class BenchCommand : public ::testing::Test {
 protected:
  BenchCommand() { expect_success(convert_demo(model())); }
  std::string model() const { return folder / "demo.tflite"; }
  static nlohmann::json measure(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--runs", "6", "--json"});
    const Outcome outcome = run_sealite(arguments);
    expect_success(outcome);
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
    return nlohmann::json::parse(outcome.out);
  }

  const ScratchFolder folder;
};

void expect_positive(const nlohmann::json& number) {
  ASSERT_TRUE(number.is_number()) << number;
  EXPECT_TRUE(std::isfinite(number.get<double>()));
  EXPECT_GT(number.get<double>(), 0);
}

TEST_F(BenchCommand, JsonHasEveryFigure) {
  const auto json = measure({model(), "--profile", "--threads", "2"});
  const auto& found = json["model"];
  EXPECT_EQ(found["file"], model());
  EXPECT_EQ(found["signature"], "detect");
  EXPECT_EQ(found["bytes"], std::filesystem::file_size(model()));
  EXPECT_EQ(found["operators"], 386);
  EXPECT_EQ(found["fully_delegated"], true);
  for (const char* name : {"load_seconds", "first_run_seconds", "multiply_accumulates",
                           "multiply_accumulates_per_second", "share_of_peak"})
    expect_positive(found[name]);
  EXPECT_NEAR(found["multiply_accumulates"].get<double>(), 0.018e9, 0.0005e9) << "as convert says";
  EXPECT_EQ(found["with_integer_filters"], 0);
  EXPECT_EQ(found["steady"]["runs"], 6);
  for (const char* name : {"minimum", "median", "maximum", "mean"}) expect_positive(found["steady"][name]);
  for (const char* name : {"resident_before", "resident_loaded", "resident_run", "peak"})
    expect_positive(found["memory_bytes"][name]);
  for (const char* name : {"float32", "int8"}) expect_positive(json["matrix_peak"][name]);
  EXPECT_EQ(json["threads"], 2);
  EXPECT_FALSE(json.contains("versus"));
  EXPECT_FALSE(json.contains("ratio"));

  const auto& profile = found["profile"];
  expect_positive(profile["run_seconds"]);
  std::size_t operators = 0;
  for (const auto& kind : profile["kinds"]) operators += kind["count"].get<std::size_t>();
  EXPECT_GT(operators, 200U);
  double products = 0;
  for (const auto& layer : profile["layers"]) products += layer["multiply_accumulates"].get<double>();
  EXPECT_EQ(products, found["multiply_accumulates"]) << "every product found in the runtime's operators";
}

TEST_F(BenchCommand, AModelAgainstItself) {
  const auto json = measure({model(), "--vs", model(), "--no-peak"});
  EXPECT_EQ(json["model"]["file"], json["versus"]["file"]);
  EXPECT_EQ(json["versus"]["steady"]["runs"], 6);
  EXPECT_EQ(json["ratio"]["pairs"], 6);
  for (const char* name : {"of_medians", "median", "lower_quartile", "upper_quartile"})
    expect_positive(json["ratio"][name]);
  EXPECT_GE(json["ratio"]["median_interval"]["coverage"], 0.95);
  EXPECT_FALSE(json.contains("matrix_peak"));
  EXPECT_FALSE(json["model"].contains("share_of_peak"));
}

TEST_F(BenchCommand, Text) {
  const Outcome outcome =
      run_sealite({"bench", model(), "--vs", model(), "--no-peak", "--runs", "3", "--profile"});
  expect_success(outcome);
  for (const char* part :
       {"Load: ", "First run: ", "Steady: median ", "(75 % interval", "Resident memory: ", "GMAC/s",
        "Operators as the runtime runs them", "Slowest convolutions and matrix products",
        "Second / first, run alternately: ", "3 pairs"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
}

TEST_F(BenchCommand, EmbeddersAndSmallerModels) {
  const std::string embedder = folder / "embedder.tflite";
  expect_success(convert_demo(embedder, {"--part", "embedder", "--quantize", "int8"}));
  const auto json = measure({embedder, "--no-peak", "--profile"});
  EXPECT_EQ(json["model"]["signature"], "embed");
  expect_positive(json["model"]["with_integer_filters"]);
  EXPECT_FALSE(json["model"]["profile"]["layers"].empty());
}

TEST_F(BenchCommand, FreeSizesRunAtTheSizeOfTheFile) {
  const std::string dynamic = folder / "dynamic.tflite";
  expect_success(convert_demo(dynamic, {"--dynamic"}));
  const auto json = measure({dynamic, "--no-peak", "--profile"});
  EXPECT_EQ(json["model"]["fully_delegated"], false);
  EXPECT_NEAR(json["model"]["multiply_accumulates"].get<double>(), 0.018e9, 0.0005e9);
  double sum = 0;
  for (const auto& kind : json["model"]["profile"]["kinds"]) sum += kind["seconds"].get<double>();
  EXPECT_LE(sum, json["model"]["profile"]["run_seconds"]) << "nothing is counted twice";
}

TEST_F(BenchCommand, Errors) {
  expect_refusal(run_sealite({"bench", folder / "absent"}), ErrorCode::kNotFound, {"absent"});
  expect_refusal(run_sealite({"bench", asset("demo.pth")}), ErrorCode::kMalformed, {"demo.pth"});
  write_text(folder / "cut.tflite", read_text(model()).substr(0, 100000));
  expect_refusal(run_sealite({"bench", folder / "cut.tflite"}), ErrorCode::kMalformed, {"cut.tflite"});
  expect_refusal(run_sealite({"bench", model(), "--vs", folder / "absent"}), ErrorCode::kNotFound,
                 {"absent"});
  expect_refusal(run_sealite({"bench", SEALITE_SOURCE_DIR "/tests/runtime/data/int32.tflite"}),
                 ErrorCode::kUnsupported, {"int32"});
  expect_refusal(run_sealite({"bench", model(), "--signature", "embed"}), ErrorCode::kUsage, {"'detect'"});
  expect_refusal(run_sealite({"bench", model(), "--runs", "0"}), ErrorCode::kUsage, {"--runs"});
  expect_refusal(run_sealite({"bench", model(), "--litert", folder / "none.so"}), ErrorCode::kUnsupported,
                 {"none.so"});
}

TEST_F(BenchCommand, CtrlC) {
  Process process(sealite_command({"bench", model(), "--runs", "100000", "--no-peak"}));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  process.send(SIGINT);
  expect_refusal(process.wait(), ErrorCode::kInterrupted, {"interrupted"});
}

}  // namespace
}  // namespace sealite

#include <nlohmann/json.hpp>

#include <set>

#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

class OutputNames : public ::testing::Test {
 protected:
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(output()))
      names.insert(entry.path().filename());
    return names;
  }
  std::filesystem::path output() const { return folder_ / "new" / "tflite_models"; }
  Outcome convert(const std::vector<std::string>& words) const {
    std::vector<std::string> command{"convert"};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--output_dir", output()});
    return run_sealite(command);
  }
  Outcome convert_demo_into(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{asset("demo.pth"), "--card", asset("demo.card.yaml")};
    words.insert(words.end(), more.begin(), more.end());
    return convert(words);
  }
  // The demo's checkpoint with another bias: the same card, other weights.
  std::string other_checkpoint() const {
    const std::string path = folder_ / "other.pth";
    expect_success(run_sealite({"make-checkpoint", "--card", asset("demo.card.yaml"), "-o", path}));
    return path;
  }

  ScratchFolder folder_;
};

// The conversion guide's own words and names.
TEST_F(OutputNames, ChunkySealsAreTheGuides) {
  std::filesystem::copy_file(fixture("chunkyseal_tiny.card.yaml"), folder_ / "chunkyseal.card.yaml");
  const std::vector<std::string> words{fixture("chunkyseal_tiny.pth"), "--card",
                                       folder_ / "chunkyseal.card.yaml", "--model_name", "chunkyseal"};
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {}, {"--quantize", "int8"}, {"--image_size", "512"}, {"--no_simple"}, {"--part", "both"}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), more.begin(), more.end());
    if (more.empty() || more[0] != "--image_size") all.insert(all.end(), {"--image_size", "256"});
    expect_success(convert(all));
  }
  EXPECT_EQ(files(), (std::set<std::string>{"chunkyseal_detector_chunkyseal_256.tflite",
                                            "chunkyseal_detector_chunkyseal_256_int8.tflite",
                                            "chunkyseal_detector_chunkyseal_512.tflite",
                                            "chunkyseal_detector_chunkyseal_256_dynamic.tflite",
                                            "chunkyseal_embedder_chunkyseal_256.tflite"}));
  const auto shape = [&](const std::string& name) {
    const Json json = Json::parse(run_sealite({"inspect", output() / name, "--json"}).out);
    return json["signatures"].at(0)["inputs"].at(0)["shape"].get<std::vector<int>>();
  };
  EXPECT_EQ(shape("chunkyseal_detector_chunkyseal_256.tflite"), (std::vector<int>{1, 3, 256, 256}));
  EXPECT_EQ(shape("chunkyseal_detector_chunkyseal_256_dynamic.tflite"), (std::vector<int>{-1, 3, -1, -1}));
}

TEST_F(OutputNames, OthersHaveTheirOwnCardPartAndSize) {
  expect_success(convert_demo_into({"--part", "both", "--quantize", "int8"}));
  expect_success(convert_demo_into({"--layout", "nhwc", "--model_name", "v2"}));
  EXPECT_EQ(files(),
            (std::set<std::string>{"demo_detector_demo_64_int8.tflite", "demo_embedder_demo_64_int8.tflite",
                                   "demo_detector_v2_64_nhwc.tflite"}));
  expect_refusal(convert_demo_into({"--model_name", "../v2"}), ErrorCode::kUsage, {"--model_name", "'/'"});
}

TEST_F(OutputNames, AFileOfAnotherOriginStaysWithoutForce) {
  const std::string other = other_checkpoint();
  const std::vector<std::string> second{other, "--card", asset("demo.card.yaml")};
  expect_success(convert_demo_into());
  const std::filesystem::path model = output() / "demo_detector_demo_64.tflite";
  const std::string first = read_text(model);
  expect_success(convert_demo_into());  // the same conversion
  EXPECT_EQ(read_text(model), first);
  expect_refusal(convert(second), ErrorCode::kUsage,
                 {"demo_detector_demo_64.tflite' is there and comes from another conversion",
                  "checkpoint_hash", "--force"});
  EXPECT_EQ(read_text(model), first);
  std::vector<std::string> forced = second;
  forced.emplace_back("--force");
  expect_success(convert(forced));
  EXPECT_NE(read_text(model), first);
}

// What the name does not say, the file's metadata does.
TEST_F(OutputNames, OptionsAreAnOriginToo) {
  const std::string model = folder_ / "model.tflite";
  const std::vector<std::vector<std::string>> conversions{
      {},
      {"--layout", "nhwc"},
      {"--image-size", "128"},
      {"--dynamic"},
      {"--part", "embedder"},
      {"--quantize", "int8"},
      {"--quantize", "int8", "--keep", "head=float32"},
      {"--quantize", "int8", "--calibrate", asset("coffee.png")},
      {"--quantize", "int8", "--calibrate", asset("coffee.watermarked.png")},
      {"--quantize", "int8", "--calibrate", asset("coffee.png"), "--gptq"}};
  for (std::size_t i = 0; i < conversions.size(); ++i) {
    std::vector<std::string> forced = conversions[i];
    forced.emplace_back("--force");
    expect_success(convert_demo(model, forced));
    const std::string bytes = read_text(model);
    expect_success(convert_demo(model, conversions[i]));
    for (const std::size_t other : {i + 1, i + 2}) {
      SCOPED_TRACE(std::to_string(i) + " and " + std::to_string(other % conversions.size()));
      expect_refusal(convert_demo(model, conversions[other % conversions.size()]), ErrorCode::kUsage,
                     {"model.tflite' is there", "--force"});
    }
    EXPECT_EQ(read_text(model), bytes);
  }
}

TEST_F(OutputNames, OnlyAnEmptyFileIsNobodys) {
  const std::string path = folder_ / "x.tflite";
  for (const std::string& content : {std::string("a letter to somebody"), read_text(asset("coffee.png")),
                                     read_text(SEALITE_SOURCE_DIR "/tests/runtime/data/dynamic.tflite")}) {
    write_text(path, content);
    expect_refusal(convert_demo(path), ErrorCode::kUsage,
                   {"x.tflite' is there and no model of sealite's", "--force"});
    EXPECT_EQ(read_text(path), content);
  }
  write_text(path, "");  // as mktemp makes it
  expect_success(convert_demo(path));
}

}  // namespace
}  // namespace sealite

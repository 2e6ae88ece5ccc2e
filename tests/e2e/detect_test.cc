#include <nlohmann/json.hpp>

#include "e2e/demo_model.h"
#include "fixture_files.h"
#include "float_checks.h"
#include "npy.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

class Detect : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(model())); }
  std::string model() const { return folder_ / "demo.tflite"; }

  ScratchFolder folder_;
};

TEST_F(Detect, ReadsTheMarkedPhoto) {
  const Outcome outcome =
      run_sealite({"detect", model(), asset("coffee.watermarked.png"), "--expect", kDemoMessage});
  expect_success(outcome);
  for (const char* part :
       {"message: cd750d7d (32 bits, 19 ones)", "matches: 32 of 32 bits (accuracy 1.0000), p = 2.3e-10",
        "unused detection bit: "}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  }
}

TEST_F(Detect, UnmarkedPhotoIsChance) {
  const Outcome outcome =
      run_sealite({"detect", model(), asset("coffee.png"), "--expect", kDemoMessage, "--json"});
  expect_success(outcome);
  const std::vector<Json> lines = parse_lines(outcome.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_GT(lines[0]["p_value"], 0.01);
  EXPECT_LT(lines[0]["matches"], 24);
}

TEST_F(Detect, JsonHasALineForEachPictureAndThreadsAgree) {
  const std::vector<std::string> arguments{
      "detect",   model(),     asset("coffee.watermarked.png"), asset("coffee.png"), "--json", "--logits",
      "--expect", kDemoMessage};
  std::vector<std::string> two_threads = arguments;
  two_threads.insert(two_threads.end(), {"--threads", "2"});
  const std::vector<Json> one = parse_lines(run_sealite(arguments).out);
  const std::vector<Json> two = parse_lines(run_sealite(two_threads).out);
  ASSERT_EQ(one.size(), 2U);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(one[0]["matches"], 32);
  EXPECT_EQ(one[0]["bit_accuracy"], 1.0);
  EXPECT_NEAR(one[0]["log10_p_value"].get<double>(), -9.63, 0.01);
  EXPECT_EQ(one[0]["logits"].size(), 33U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(one[i]["message"], two[i]["message"]);
}

TEST_F(Detect, BitsWithoutAMessageComeWithAWarning) {
  const Outcome outcome = run_sealite({"detect", model(), asset("coffee.png")});
  expect_success(outcome);
  EXPECT_NE(outcome.out.find("give the message you look for with --expect"), std::string::npos);
  EXPECT_EQ(outcome.out.find("p = "), std::string::npos);
}

TEST_F(Detect, RefusesAMessageOfAnotherLength) {
  for (const char* message : {"CD750D7", "CD750D7D0", "", "CD750D7G"}) {
    if (*message == '\0') continue;  // "" means no --expect
    expect_refusal(run_sealite({"detect", model(), asset("coffee.png"), "--expect", message}),
                   ErrorCode::kUsage, {"hexadecimal"});
  }
}

TEST_F(Detect, ABrokenPictureDoesNotKeepTheOthersFromTheirs) {
  const std::string png = read_text(asset("coffee.png"));
  write_text(folder_ / "cut.png", png.substr(0, png.size() / 2));
  write_text(folder_ / "notes.txt", "not a picture");
  const std::vector<std::string> arguments{"detect",
                                           model(),
                                           folder_ / "cut.png",
                                           asset("coffee.watermarked.png"),
                                           folder_ / "notes.txt",
                                           folder_ / "missing.png",
                                           "--expect",
                                           kDemoMessage};
  const Outcome text = run_sealite(arguments);
  EXPECT_EQ(text.status, 65);  // the first error's
  EXPECT_NE(text.out.find("matches: 32 of 32"), std::string::npos);
  EXPECT_EQ(std::ranges::count(text.err, '\n'), 3) << text.err;
  for (const char* part :
       {"cut.png: broken or truncated", "notes.txt: not a picture", "missing.png: no such"}) {
    EXPECT_NE(text.err.find(part), std::string::npos) << text.err;
  }

  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const Outcome json = run_sealite(with_json);
  EXPECT_EQ(json.status, 65);
  EXPECT_EQ(json.err, "");
  const std::vector<Json> lines = parse_lines(json.out);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["error"]["code"], "malformed");
  EXPECT_EQ(lines[1]["matches"], 32);
  EXPECT_EQ(lines[2]["error"]["code"], "malformed");
  EXPECT_EQ(lines[3]["error"]["code"], "not_found");
}

TEST_F(Detect, FileNamesMayHoldAnyBytes) {
  const std::string name = folder_ / "caf\xe9.png";
  std::filesystem::copy_file(asset("coffee.watermarked.png"), name);
  const Outcome outcome = run_sealite({"detect", model(), name, "--json"});
  expect_success(outcome);
  EXPECT_EQ(parse_lines(outcome.out).at(0)["message"], "cd750d7d");
}

TEST_F(Detect, RefusesABrokenModel) {
  const std::string whole = read_text(model());
  const std::string path = folder_ / "broken.tflite";
  // The tables lie at the front, the weights behind them.
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 100,
                                 whole.size() / 2, whole.size() - 1000}) {
    write_text(path, whole.substr(0, size));
    SCOPED_TRACE(size);
    expect_refusal(run_sealite({"detect", path, asset("coffee.png")}), ErrorCode::kMalformed,
                   {"broken.tflite"});
  }
  std::string scrambled = whole;
  for (std::size_t i = 8; i < 4096; i += 16) scrambled[i] = static_cast<char>(~scrambled[i]);
  write_text(path, scrambled);
  expect_refusal(run_sealite({"detect", path, asset("coffee.png")}), ErrorCode::kMalformed,
                 {"broken.tflite"});
  expect_refusal(run_sealite({"detect", asset("coffee.png"), asset("coffee.png")}), ErrorCode::kMalformed,
                 {"TFL3"});
  expect_refusal(run_sealite({"detect", folder_ / "missing.tflite", asset("coffee.png")}),
                 ErrorCode::kNotFound, {"missing.tflite"});
}

TEST_F(Detect, SaysWhereLiteRtShouldBe) {
  expect_refusal(run_sealite({"detect", model(), asset("coffee.png"), "--litert", "/nowhere/libLiteRt.so"}),
                 ErrorCode::kUnsupported, {"/nowhere/libLiteRt.so", "make setup"});
}

// The whole path on full-size photos, resize included, against the reference pipeline.
TEST(DetectGolden, FullSizePhotos) {
  const ScratchFolder folder;
  const std::string model = folder / "model.tflite";
  for (const std::string name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny"}) {
    expect_success(run_sealite({"convert", fixture(name + ".pth"), "-o", model}));
    for (const std::string photo : {"coffee", "chelsea"}) {
      SCOPED_TRACE(name + " " + photo);
      const Outcome outcome =
          run_sealite({"detect", model, fixture("photos/" + photo + ".png"),
                       fixture(name + "." + photo + ".watermarked.png"), "--json", "--logits"});
      expect_success(outcome);
      const std::vector<Json> lines = parse_lines(outcome.out);
      ASSERT_EQ(lines.size(), 2U);
      const auto clean = lines[0]["logits"].get<std::vector<float>>();
      const auto marked = lines[1]["logits"].get<std::vector<float>>();
      const std::string stem = name + "." + photo;
      expect_near(std::span(clean), read_npy(fixture(stem + ".logits_clean.npy")).values, 2e-4, 0, "clean");
      expect_near(std::span(marked), read_npy(fixture(stem + ".logits_watermarked.npy")).values, 2e-4, 0,
                  "watermarked");
    }
  }
}

}  // namespace
}  // namespace sealite

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <cstring>

#include "checkpoint/checkpoint.h"
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
  std::string embedder() const {
    const std::string path = folder_ / "demo.embedder.tflite";
    if (!std::filesystem::exists(path)) expect_success(convert_demo(path, {"--part", "embedder"}));
    return path;
  }

  ScratchFolder folder_;
};

// The files that the dynamic loader opened while sealite ran.
std::string libraries_of(const std::vector<std::string>& arguments) {
  const ScratchFolder folder;
  ::setenv("LD_DEBUG", "files", 1);
  ::setenv("LD_DEBUG_OUTPUT", (folder / "ld").c_str(), 1);
  const Outcome outcome = run_sealite(arguments);
  ::unsetenv("LD_DEBUG");
  ::unsetenv("LD_DEBUG_OUTPUT");
  expect_success(outcome);
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    text += read_text(entry.path());
  return text;
}

// libvips would load ImageMagick, Poppler and more: time, memory, and code that a stranger's picture might
// reach.
TEST_F(Detect, LoadsOnlyTheDecodersThatItUses) {
  for (const auto& [extension, heif] : {std::pair(".png", false), {".avif", true}}) {
    const std::string picture = folder_ / ("picture" + std::string(extension));
    expect_success(run_sealite({"embed", embedder(), asset("coffee.png"), "-o", picture, "--random"}));
    const std::string loaded = libraries_of({"detect", model(), picture});
    EXPECT_NE(loaded.find("libvips.so"), std::string::npos);
    EXPECT_EQ(loaded.find("libheif.so") != std::string::npos, heif) << extension;
    for (const char* other : {"libMagickCore", "libpoppler", "libopenslide"})
      EXPECT_EQ(loaded.find(other), std::string::npos) << other;
  }
}

TEST_F(Detect, ReadsTheMarkedPhoto) {
  const Outcome outcome =
      run_sealite({"detect", model(), asset("coffee.watermarked.png"), "--expect", kDemoMessage});
  expect_success(outcome);
  for (const char* part :
       {"message: cd750d7d (32 bits, 19 ones)", "matches: 32 of 32 bits (accuracy 1.0000), p = 2.3e-10"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("unused"), std::string::npos) << "nobody needs it: " << outcome.out;
  const Outcome logits = run_sealite({"detect", model(), asset("coffee.watermarked.png"), "--logits"});
  expect_success(logits);
  EXPECT_NE(logits.out.find("\n  unused detection bit: 10.9"), std::string::npos) << logits.out;
  EXPECT_NE(logits.out.find("\n  logits: 10.4"), std::string::npos) << logits.out;
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

// Messages of 256 bits from docs/payload.md.
constexpr const char* kId1234 = "1b34d92620bd5fb7b8a8fb352ab68c9e5bb7dbe20ca7baff10cbd395c9d3c9f3";
constexpr const char* kId1234WithKey =
    "7c73499943fc240477576ec99d6108515be9b6245ca4e631777198fc97f3123b";  // "my key"
constexpr const char* kTextSealite = "ddd0111ab920148fedbb762b635ed3732164a68b19ef07ba7181412a7ccc840f";

// A detector of 256 bits that reads the same message in every picture: the last layer's bias outweighs the
// rest.
class DetectPayload : public ::testing::Test {
 protected:
  // `message` in hexadecimal, "" for whatever the random weights read; the first `wrong` bits are inverted.
  std::string model_reading(const std::string& message, std::size_t wrong = 0) {
    std::string card = read_text(asset("demo.card.yaml"));
    card.replace(card.find("nbits: 32"), 9, "nbits: 256");
    write_text(folder_ / "card.yaml", card);
    const std::string checkpoint = folder_ / "model.pth";
    expect_success(run_sealite(
        {"make-checkpoint", "--card", folder_ / "card.yaml", "--part", "detector", "-o", checkpoint}));
    if (!message.empty()) set_bias(checkpoint, bias_for(message, wrong));
    expect_success(run_sealite({"convert", checkpoint, "-o", model(), "--card", folder_ / "card.yaml"}));
    return model();
  }
  std::string model() const { return folder_ / "model.tflite"; }
  static Outcome detect(std::vector<std::string> options) {
    options.insert(options.begin(), "detect");
    return run_sealite(options);
  }
  Json detect_json(std::vector<std::string> options) {
    options.insert(options.begin(), {"detect", model(), asset("coffee.png"), "--json"});
    const Outcome outcome = run_sealite(options);
    expect_success(outcome);
    return parse_lines(outcome.out).at(0);
  }

  ScratchFolder folder_;

 private:
  static std::vector<float> bias_for(const std::string& message, std::size_t wrong) {
    std::vector<float> bias{0};
    for (const char digit : message) {
      const unsigned value = static_cast<unsigned>(std::stoul(std::string(1, digit), nullptr, 16));
      for (unsigned mask = 8; mask != 0; mask /= 2) {
        const bool one = ((value & mask) != 0) != (bias.size() <= wrong);
        bias.push_back(one ? 100.0F : -100.0F);
      }
    }
    return bias;
  }
  static void set_bias(const std::string& checkpoint, const std::vector<float>& bias) {
    std::string old;
    {
      const auto opened = checkpoint::Checkpoint::open(checkpoint);
      const ByteView bytes = opened.find("detector.pixel_decoder.linear.bias")->bytes;
      old.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    ASSERT_EQ(old.size(), bias.size() * sizeof(float));
    std::string file = read_text(checkpoint);
    std::memcpy(&file[file.find(old)], bias.data(), old.size());
    write_text(checkpoint, file);
  }
};

TEST_F(DetectPayload, ReadsAnIdAndSaysHowManyBitsWereCorrected) {
  const Outcome outcome = detect({model_reading(kId1234, 12), asset("coffee.png")});
  expect_success(outcome);
  EXPECT_NE(outcome.out.find(
                "  payload: id 1234 (version 1, 12 of 256 bits corrected), false-positive probability "),
            std::string::npos)
      << outcome.out;
  EXPECT_EQ(outcome.out.find("--expect"), std::string::npos) << "the hint is for pictures without a finding";
  const Json line = detect_json({});
  EXPECT_EQ(line["payload"]["id"], 1234);
  EXPECT_EQ(line["payload"]["words"], "id:1234");
  EXPECT_EQ(line["payload"]["version"], 1);
  EXPECT_EQ(line["payload"]["corrected_bits"], 12);
  EXPECT_FALSE(line["payload"].contains("text"));
  EXPECT_LT(line["payload"]["log10_false_positive"], -40);
  EXPECT_LT(line["payload"]["false_positive"], 1e-40);
}

TEST_F(DetectPayload, ReadsATextAndComparesWithOne) {
  model_reading(kTextSealite, 3);
  const Json line = detect_json({"--expect", "text:Sealite"});
  EXPECT_EQ(line["payload"]["text"], "Sealite");
  EXPECT_EQ(line["payload"]["words"], "text:Sealite");
  EXPECT_EQ(line["matches"], 253);
  EXPECT_NE(detect({model(), asset("coffee.png")}).out.find("payload: text \"Sealite\" (version 1, 3 of 256"),
            std::string::npos);
}

TEST_F(DetectPayload, TheKeyHasToBeRight) {
  model_reading(kId1234WithKey);
  EXPECT_EQ(detect_json({})["payload"], nullptr);
  EXPECT_EQ(detect_json({"--key", "My key"})["payload"], nullptr);
  const Json line = detect_json({"--key", "my key", "--expect", "id:1234"});
  EXPECT_EQ(line["payload"]["id"], 1234);
  EXPECT_EQ(line["matches"], 256);
}

TEST_F(DetectPayload, NoneWhereThereIsNone) {
  const Outcome outcome = detect({model_reading(""), asset("coffee.png"), asset("coffee.watermarked.png")});
  expect_success(outcome);
  EXPECT_EQ(outcome.out.find("payload: id"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("payload: none"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("give the message you look for with --expect"), std::string::npos);
}

TEST_F(DetectPayload, TheBestCandidateIsNamed) {
  model_reading(kId1234, 12);
  write_text(folder_ / "list.txt",
             "# customers\r\nid:1233 Ann\r\n" + std::string(kId1234) + " B\x1b[2Jo\tb\r\ntext:Sealite\r\n");
  const Json line = detect_json({"--candidates", folder_ / "list.txt"});
  EXPECT_EQ(line["candidate"]["line"], 3);
  EXPECT_EQ(line["candidate"]["message"], kId1234);
  EXPECT_EQ(line["candidate"]["matches"], 244);
  EXPECT_EQ(line["candidate"]["candidates"], 3);
  const Json alone = detect_json({"--expect", "id:1234"});
  EXPECT_NEAR(line["candidate"]["log10_p_value"], alone["log10_p_value"].get<double>() + std::log10(3), 1e-9);
  const Outcome text = detect({model(), asset("coffee.png"), "--candidates", folder_ / "list.txt"});
  expect_success(text);
  EXPECT_NE(text.out.find("best candidate: line 3 (B?[2Jo?b), message 1b34"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("matches: 244 of 256 bits (accuracy 0.9531), p = "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find(" for 3 candidates"), std::string::npos) << text.out;
}

TEST_F(DetectPayload, RefusesWhatDoesNotFitBeforeAnyPictureIsRead) {
  model_reading("");
  const std::string missing = folder_ / "missing.png";
  expect_refusal(detect({model(), missing, "--expect", "id:4294967296"}), ErrorCode::kUsage,
                 {"--expect", "32 bits", "4294967295"});
  expect_refusal(detect({model(), missing, "--expect", "text:ninebytes"}), ErrorCode::kUsage, {"at most 8"});
  write_text(folder_ / "list.txt", "id:1\nid:2x\n");
  expect_refusal(detect({model(), missing, "--candidates", folder_ / "list.txt"}), ErrorCode::kMalformed,
                 {"list.txt', line 2", "id:2x"});
  expect_refusal(detect({model(), missing, "--candidates", folder_ / "none.txt"}), ErrorCode::kNotFound,
                 {"none.txt"});
}

TEST_F(Detect, RawBitsOnlyBelow64Bits) {
  const std::vector<std::string> command{"detect", model(), asset("coffee.watermarked.png")};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run_sealite(more);
  };
  expect_refusal(with({"--key", ""}), ErrorCode::kUsage, {"--key", "raw bits only", "32 bits", "64 to 1024"});
  expect_refusal(with({"--expect", "id:3"}), ErrorCode::kUsage, {"--expect", "raw bits only"});
  EXPECT_NE(with({}).out.find("Raw bits only"), std::string::npos);
  EXPECT_EQ(with({}).out.find("payload:"), std::string::npos);
  write_text(folder_ / "list.txt", "00000000 nobody\nCD750D7D the demo\n");
  const Outcome outcome = with({"--candidates", folder_ / "list.txt", "--json"});
  expect_success(outcome);
  const Json line = parse_lines(outcome.out).at(0);
  EXPECT_EQ(line["candidate"]["label"], "the demo");
  EXPECT_EQ(line["candidate"]["matches"], 32);
  EXPECT_FALSE(line.contains("payload"));
}

// The whole path on photos, resize included, against the reference pipeline.
TEST(DetectGolden, PhotosOfOtherSizes) {
  const ScratchFolder folder;
  const std::string model = folder / "model.tflite";
  for (const std::string name : {"chunkyseal_tiny", "pixelseal_tiny", "videoseal_1.0_tiny"}) {
    expect_success(run_sealite({"convert", fixture(name + ".pth"), "-o", model, "--force"}));
    for (const std::string photo : {"cup", "chelsea"}) {
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

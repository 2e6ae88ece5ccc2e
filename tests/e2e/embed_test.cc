#include <nlohmann/json.hpp>

#include <chrono>
#include <thread>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

#ifdef __SANITIZE_ADDRESS__
// The sanitizer reserves terabytes of addresses for its own use; it reports a large allocation by itself.
const std::string kLittleMemory = R"("$@")";
#else
const std::string kLittleMemory = R"(ulimit -v 2000000; "$@")";
#endif

std::string picture(const std::string& name) {
  return SEALITE_SOURCE_DIR "/tests/image/data/" + name;
}

class Embed : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(models_ / "demo.tflite", {"--part", "both"})); }
  std::string model() const { return models_ / "demo.embedder.tflite"; }
  std::string detector() const { return models_ / "demo.detector.tflite"; }
  std::string out(const std::string& name) const { return folder_ / name; }
  Outcome embed(const std::string& in, const std::string& to,
                std::vector<std::string> more = {"--message", kDemoMessage}) const {
    more.insert(more.begin(), {"embed", model(), in, "-o", to});
    return run_sealite(more);
  }
  // One warning line, and the output written.
  void expect_warning(const std::string& in, const std::string& to, const std::string& part) const {
    const Outcome outcome = embed(in, to);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err.rfind("sealite: warning: ", 0), 0U) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_TRUE(std::filesystem::exists(to));
  }

  ScratchFolder models_;
  ScratchFolder folder_;
};

TEST_F(Embed, DetectReadsWhatWasEmbedded) {
  const Outcome text =
      embed(asset("coffee.png"), out("a.png"), {"--message", kDemoMessage, "--check", detector()});
  expect_success(text);
  for (const char* part : {"message: cd750d7d (32 bits)", "600 x 400 pixels", "PSNR: 27.", "SSIM: 0.9",
                           "read back: cd750d7d: 32 of 32 bits (accuracy 1.0000), p = 2.3e-10"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " is not in\n" << text.out;
  }
  const Outcome read = run_sealite({"detect", detector(), out("a.png"), "--json"});
  expect_success(read);
  EXPECT_EQ(Json::parse(read.out)["message"], "cd750d7d");
  EXPECT_EQ(folder_.entries(), 1);
}

TEST_F(Embed, JsonAndRandomMessages) {
  std::string last;
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome =
        embed(asset("coffee.png"), out("a.jpg"),
              {"--random", "--check", detector(), "--json", "--quality", "90", "--threads", "2"});
    expect_success(outcome);
    const Json json = Json::parse(outcome.out);
    EXPECT_EQ(json["message"].get<std::string>().size(), 8U);
    EXPECT_NE(json["message"], last);
    last = json["message"];
    EXPECT_EQ(json["width"], 600);
    EXPECT_EQ(json["cache"], "off") << "a small model";
    EXPECT_EQ(json["bytes"], std::filesystem::file_size(out("a.jpg")));
    EXPECT_GT(json["psnr"], 25);
    EXPECT_GT(json["check"]["matches"], 28);
    EXPECT_LT(json["check"]["log10_p_value"], -5);
  }
  const Outcome nothing = embed(asset("coffee.png"), out("b.png"), {"--random", "--strength", "0", "--json"});
  expect_success(nothing);
  EXPECT_EQ(Json::parse(nothing.out)["psnr"], nullptr);
  const Outcome lowres =
      embed(asset("coffee.png"), out("c.png"), {"--message", kDemoMessage, "--attenuation", "lowres"});
  expect_success(lowres);
  expect_success(
      embed(asset("coffee.png"), out("d.png"), {"--message", kDemoMessage, "--attenuation", "none"}));
  EXPECT_NE(read_text(out("c.png")), read_text(out("d.png")));
}

TEST_F(Embed, AMessageThatIsNotReadBackHasAStatusOfItsOwn) {
  const Outcome lost = embed(asset("coffee.png"), out("a.png"),
                             {"--message", kDemoMessage, "--strength", "0", "--check", detector()});
  EXPECT_EQ(lost.status, 3) << lost.err;
  EXPECT_NE(lost.out.find("read back: 510f9c7b: 18 of 32 bits (accuracy 0.5625), p = 0.3\n"),
            std::string::npos)
      << lost.out;
  EXPECT_EQ(lost.err.rfind("sealite: warning: ", 0), 0U) << lost.err;
  for (const char* part :
       {"a.png' is written", "does not read the message back: 18 of 32 bits agree, p = 0.3"})
    EXPECT_NE(lost.err.find(part), std::string::npos) << lost.err;
  EXPECT_TRUE(std::filesystem::exists(out("a.png")));
  const Outcome json = embed(asset("coffee.png"), out("a.png"),
                             {"--message", kDemoMessage, "--strength", "0", "--check", detector(), "--json"});
  EXPECT_EQ(json.status, 3);
  EXPECT_EQ(Json::parse(json.out)["check"]["read_back"], false);
  const Outcome good =
      embed(asset("coffee.png"), out("b.png"), {"--message", kDemoMessage, "--check", detector(), "--json"});
  expect_success(good);
  EXPECT_EQ(Json::parse(good.out)["check"]["read_back"], true);
}

TEST_F(Embed, TheSameCommandWritesTheSameBytes) {
  expect_success(embed(asset("coffee.png"), out("a.png")));
  expect_success(embed(asset("coffee.png"), out("b.png")));
  EXPECT_EQ(read_text(out("a.png")), read_text(out("b.png")));
}

TEST_F(Embed, ExactlyOneMessageOfTheRightLength) {
  const std::string in = asset("coffee.png");
  expect_refusal(embed(in, out("a.png"), {}), ErrorCode::kUsage, {"--message", "--id"});
  expect_refusal(embed(in, out("a.png"), {"--message", kDemoMessage, "--random"}), ErrorCode::kUsage,
                 {"--message"});
  for (const char* message : {"CD750D7", "CD750D7D0", "CD750D7G"})
    expect_refusal(embed(in, out("a.png"), {"--message", message}), ErrorCode::kUsage,
                   {"--message", "hexadecimal"});
  expect_refusal(embed(in, out("a.png"), {"--message", "id:7"}), ErrorCode::kUsage, {"--id"});
  expect_refusal(embed(in, out("a.png"), {"--id", "7"}), ErrorCode::kUsage,
                 {"--id", "raw bits only", "has 32"});
  expect_refusal(embed(in, out("a.png"), {"--text", ""}), ErrorCode::kUsage, {"--text"});
  expect_refusal(embed(in, out("a.png"), {"--random", "--key", "k"}), ErrorCode::kUsage, {"--key"});
  for (const auto& [option, value] :
       {std::pair{"--strength", "-1"}, {"--quality", "0"}, {"--attenuation", "some"}, {"--threads", "0"}})
    expect_refusal(embed(in, out("a.png"), {"--random", option, value}), ErrorCode::kUsage, {option});
  EXPECT_EQ(folder_.entries(), 0);
}

TEST_F(Embed, RefusesOtherModels) {
  expect_refusal(run_sealite({"embed", detector(), asset("coffee.png"), "-o", out("a.png"), "--random"}),
                 ErrorCode::kMismatch, {"demo.detector.tflite", "it is a detector", "--part embedder"});
  expect_refusal(embed(asset("coffee.png"), out("a.png"), {"--random", "--check", model()}),
                 ErrorCode::kMismatch, {"demo.embedder.tflite", "'detect'"});
  expect_refusal(
      run_sealite({"embed", asset("coffee.png"), asset("coffee.png"), "-o", out("a.png"), "--random"}),
      ErrorCode::kMalformed, {"TFL3"});
  EXPECT_EQ(folder_.entries(), 0);
}

TEST_F(Embed, RefusesOutputsThatCannotBe) {
  const std::string in = out("in.png");
  std::filesystem::copy_file(asset("coffee.png"), in);
  const std::string before = read_text(in);
  std::filesystem::create_symlink(in, out("link.png"));
  expect_refusal(embed(in, in), ErrorCode::kUsage, {"in.png", "input itself"});
  expect_refusal(embed(in, out("link.png")), ErrorCode::kUsage, {"input itself"});
  for (const char* name : {"a.gif", "a", ".png"})
    expect_refusal(embed(in, out(name)), ErrorCode::kUsage, {"extension", ".webp"});
  expect_refusal(embed(in, out("none/a.png")), ErrorCode::kIo, {"none/a.png"});
  std::filesystem::create_directory(out("folder.png"));
  expect_refusal(embed(in, out("folder.png")), ErrorCode::kUsage, {"folder"});
  EXPECT_EQ(read_text(in), before);
  EXPECT_EQ(folder_.entries(), 3);
}

TEST_F(Embed, AFullDiskLeavesNothing) {
  const Outcome outcome = run_in_shell(
      R"(ulimit -f 100; "$@")", {"embed", model(), asset("coffee.png"), "-o", out("a.png"), "--random"});
  expect_refusal(outcome, ErrorCode::kIo, {"a.png"});
  EXPECT_EQ(folder_.entries(), 0);
}

TEST_F(Embed, BrokenPicturesAreErrors) {
  const std::string png = read_text(asset("coffee.png"));
  write_text(models_ / "cut.png", png.substr(0, png.size() / 2));
  write_text(models_ / "notes.png", "not a picture at all");
  expect_refusal(embed(models_ / "cut.png", out("a.png")), ErrorCode::kMalformed, {"cut.png", "truncated"});
  expect_refusal(embed(models_ / "notes.png", out("a.png")), ErrorCode::kMalformed, {"not a picture"});
  expect_refusal(embed(models_ / "missing.png", out("a.png")), ErrorCode::kNotFound, {"missing.png"});
  // 30,000 x 30,000 in the header.
  std::string huge = read_text(picture("rgb.png"));
  const std::string side("\0\0\x75\x30", 4);
  huge.replace(16, 8, side + side);
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : huge.substr(12, 17)) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  for (int i = 0; i < 4; ++i)
    huge[static_cast<std::size_t>(29 + i)] = static_cast<char>(~crc >> (24 - 8 * i));
  write_text(models_ / "huge.png", huge);
  const Outcome outcome =
      run_in_shell(kLittleMemory, {"embed", model(), models_ / "huge.png", "-o", out("a.png"), "--random"});
  expect_refusal(outcome, ErrorCode::kUnsupported, {"30000 x 30000", "limit"});
  EXPECT_EQ(folder_.entries(), 0);
}

TEST_F(Embed, EveryKindOfPicture) {
  expect_warning(picture("rgb16.png"), out("a.png"), "16 bits per sample are written as 8");
  expect_warning(picture("grey.png"), out("b.png"), "grey is written as RGB");
  expect_warning(picture("cmyk.jpg"), out("c.jpg"), "CMYK is written as RGB");
  expect_warning(picture("alpha.png"), out("d.jpg"), "alpha channel is left out");
  expect_success(embed(picture("alpha.png"), out("e.png")));
  expect_success(embed(picture("one_pixel.png"), out("f.png")));
  const Outcome again = embed(out("e.png"), out("g.jpg"));
  EXPECT_NE(again.err.find("alpha"), std::string::npos) << "e.png has kept it";
  EXPECT_NE(embed(picture("one_pixel.png"), out("h.png")).out.find("none below 11 pixels"),
            std::string::npos);
}

TEST_F(Embed, CtrlCLeavesNothing) {
  for (const double seconds : {0.05, 0.2, 0.4}) {
    Process process(
        sealite_command({"embed", model(), asset("coffee.png"), "-o", out("a.avif"), "--random"}));
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    process.send(SIGINT);
    const Outcome outcome = process.wait();
    const bool written = outcome.status == 0;
    if (outcome.status == static_cast<int>(ErrorCode::kInterrupted))
      expect_refusal(outcome, ErrorCode::kInterrupted, {"interrupted"});
    EXPECT_EQ(folder_.entries(), written ? 1 : 0) << outcome.err;
    std::filesystem::remove(out("a.avif"));
  }
}

// A model of 256 bits: random weights, but the payload's words become a message.
TEST(EmbedPayload, IdsAndTextsBecomeMessages) {
  const ScratchFolder folder;
  std::string card = read_text(asset("demo.card.yaml"));
  card.replace(card.find("nbits: 32"), 9, "nbits: 256");
  write_text(folder / "card.yaml", card);
  expect_success(run_sealite({"make-checkpoint", "--card", folder / "card.yaml", "-o", folder / "m.pth"}));
  expect_success(run_sealite({"convert", folder / "m.pth", "-o", folder / "m.tflite", "--card",
                              folder / "card.yaml", "--part", "embedder"}));
  const auto message = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"embed", folder / "m.tflite", asset("coffee.png"), "-o", folder / "a.png", "--json"});
    const Outcome outcome = run_sealite(words);
    expect_success(outcome);
    return Json::parse(outcome.out)["message"].get<std::string>();
  };
  // From docs/payload.md.
  EXPECT_EQ(message({"--id", "1234"}), "1b34d92620bd5fb7b8a8fb352ab68c9e5bb7dbe20ca7baff10cbd395c9d3c9f3");
  EXPECT_EQ(message({"--id", "1234", "--key", "my key"}),
            "7c73499943fc240477576ec99d6108515be9b6245ca4e631777198fc97f3123b");
  EXPECT_EQ(message({"--text", "Sealite"}),
            "ddd0111ab920148fedbb762b635ed3732164a68b19ef07ba7181412a7ccc840f");
  expect_refusal(run_sealite({"embed", folder / "m.tflite", asset("coffee.png"), "-o", folder / "b.png",
                              "--text", "ninebytes"}),
                 ErrorCode::kUsage, {"--text", "at most 8"});
}

TEST(EmbedHelp, HasExamples) {
  const Outcome outcome = run_sealite({"embed", "--help"});
  expect_success(outcome);
  EXPECT_NE(outcome.out.find("  sealite embed", outcome.out.find("Examples")), std::string::npos);
  EXPECT_NE(outcome.out.find("card|none|lowres"), std::string::npos);
}

}  // namespace
}  // namespace sealite

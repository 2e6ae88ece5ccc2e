#include <nlohmann/json.hpp>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

// A folder as operators have it: marked pictures, others, a broken one, and files that are none.
class OperatorTable : public ::testing::Test {
 protected:
  void SetUp() override {
    expect_success(convert_demo(folder_ / "demo.tflite", {"--part", "both"}));
    std::filesystem::create_directories(photos() / "inner");
    std::filesystem::copy_file(asset("coffee.watermarked.png"), photos() / "a.png");
    std::filesystem::copy_file(asset("coffee.png"), photos() / "b.png");
    const std::string whole = read_text(asset("coffee.png"));
    write_text(photos() / "c, cut.png", whole.substr(0, whole.size() / 2));
    write_text(photos() / ".DS_Store", "Bud1 and more");
    std::filesystem::copy_file(asset("coffee.watermarked.png"), photos() / "inner" / "d.png");
    write_text(folder_ / "list", "CD750D7D customer seven\nnumber:7 another\n");
  }
  std::filesystem::path photos() const { return folder_ / "photos"; }
  std::string detector() const { return folder_ / "demo.detector.tflite"; }
  std::string embedder() const { return folder_ / "demo.embedder.tflite"; }
  Outcome detect(std::vector<std::string> more) const {
    more.insert(more.begin(), {"detect", detector()});
    return run_sealite(more);
  }

  ScratchFolder folder_;
};

TEST_F(OperatorTable, EveryPictureHasAVerdictInCsv) {
  const Outcome outcome =
      detect({photos(), "-r", "--candidates", folder_ / "list", "--fpr", "1e-8", "--csv"});
  EXPECT_EQ(outcome.status, static_cast<int>(ErrorCode::kMalformed));
  const std::string p = photos().string();
  const std::string head = "picture,verdict,marked_with,message,matches,log10_p_value,error\n";
  EXPECT_EQ(outcome.out.substr(0, head.size()), head);
  for (const std::string& part :
       {p + "/a.png,marked,customer seven,cd750d7d,32,-9.332,\n", p + "/b.png,not marked,,510f9c7b,",
        "\"" + p + "/c, cut.png\",unreadable,,,,,", p + "/inner/d.png,marked,customer seven,"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 5);
  for (const char* part :
       {".DS_Store': no picture that is read; skipped",
        "4 pictures: 2 marked, 1 not marked, 0 cannot tell, 1 unreadable; expected false positives over the "
        "whole run: 3e-8 at most (3 x 1e-8)"})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
}

TEST_F(OperatorTable, TextAndJsonHaveItToo) {
  const Outcome text =
      detect({photos() / "a.png", photos() / "b.png", "--expect", "CD750D7D", "--fpr", "1e-9"});
  expect_success(text);
  EXPECT_NE(text.out.find("  verdict: marked with CD750D7D\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("  verdict: not marked\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("2 pictures: 1 marked, 1 not marked"), std::string::npos) << text.out;
  const Outcome json = detect({photos() / "a.png", "--expect", "CD750D7D", "--fpr", "1e-9", "--json"});
  expect_success(json);
  EXPECT_EQ(nlohmann::json::parse(json.out)["verdict"], "marked");
  // 32 bits of which 27 agree: p = 5.7e-5.
  const Outcome between = detect({photos() / "a.png", "--expect", "CD750D62", "--fpr", "1e-9", "--json"});
  expect_success(between);
  EXPECT_EQ(nlohmann::json::parse(between.out)["verdict"], "cannot tell");
  EXPECT_EQ(nlohmann::json::parse(between.out)["matches"], 27);
}

TEST_F(OperatorTable, PipesFoldersAndMessagesAsBits) {
  const std::string bits = "11001101011101010000110101111101";
  const Outcome piped = run_in_shell("cat " + (photos() / "a.png").string() + R"( | "$@")",
                                     {"detect", detector(), "-", "--expect", bits});
  expect_success(piped);
  EXPECT_EQ(piped.out.rfind("-\n  message: cd750d7d", 0), 0U) << piped.out;
  EXPECT_NE(piped.out.find("32 of 32"), std::string::npos);
  const Outcome number = detect({photos() / "a.png", "--expect", "number:3447000445"});
  expect_success(number);
  EXPECT_NE(number.out.find("32 of 32"), std::string::npos) << number.out;
  expect_refusal(detect({photos() / "a.png", "--expect", "number:4294967296"}), ErrorCode::kUsage,
                 {"32 bits"});
  std::filesystem::create_directory(folder_ / "empty");
  expect_refusal(detect({folder_ / "empty"}), ErrorCode::kUsage, {"has no pictures", "-r"});
  const Outcome guide =
      run_sealite({"detect", "--tflite_model", detector(), "--image_path", photos() / "a.png"});
  expect_success(guide);
}

TEST_F(OperatorTable, ManyPicturesAreMarkedInOneProcess) {
  const auto embed = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"embed", embedder()});
    return run_sealite(more);
  };
  const std::string out = folder_ / "out";
  const Outcome marked = embed({photos(), "--output-dir", out, "--output-name", "{name}-{n}{ext}",
                                "--message", "number:7", "--check", detector()});
  EXPECT_EQ(marked.status, static_cast<int>(ErrorCode::kMalformed)) << marked.err;
  EXPECT_NE(marked.err.find("c, cut.png"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 2);
  const Outcome read = detect({out, "--expect", "00000007", "--fpr", "1e-6"});
  expect_success(read);
  EXPECT_NE(read.out.find("2 pictures: 2 marked"), std::string::npos) << read.out;
  expect_refusal(embed({photos() / "a.png", photos() / "inner" / "d.png", "--output-dir", out,
                        "--output-name", "x.png", "--random"}),
                 ErrorCode::kUsage, {"would both be written", "x.png"});
  expect_refusal(embed({photos() / "a.png", photos() / "b.png", "-o", folder_ / "x.png", "--random"}),
                 ErrorCode::kUsage, {"--output-dir"});
  expect_refusal(embed({photos() / "a.png", "--random"}), ErrorCode::kUsage, {"-o FILE", "--output-dir"});
}

TEST_F(OperatorTable, LongNamesAndJfif) {
  const auto embed = [&](const std::string& name) {
    return run_sealite({"embed", embedder(), photos() / "a.png", "-o", folder_ / name, "--random"});
  };
  expect_success(embed(std::string(245, 'n') + ".png"));
  expect_refusal(embed(std::string(252, 'n') + ".png"), ErrorCode::kUsage, {"256 bytes", "255"});
  expect_success(embed("a.jfif"));
  EXPECT_EQ(read_text(folder_ / "a.jfif").substr(0, 2), "\xFF\xD8");
}

TEST_F(OperatorTable, CalibrationSkipsWhatIsNoPicture) {
  std::filesystem::remove(photos() / "c, cut.png");
  const Outcome outcome = convert_demo(folder_ / "q.tflite", {"--quantize", "int8", "--calibrate", photos()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find(".DS_Store': no picture that is read; skipped"), std::string::npos);
}

}  // namespace
}  // namespace sealite

#include <nlohmann/json.hpp>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

using Json = nlohmann::json;

class FalsePositiveRate : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(model())); }
  std::string model() const { return folder_ / "demo.tflite"; }
  std::string list(const std::string& text) const {
    write_text(folder_ / "list.txt", text);
    return folder_ / "list.txt";
  }
  // Fifty of 32 bits, the demo's message first.
  std::string fifty() const {
    std::string text = std::string(kDemoMessage) + " the demo\n";
    for (int i = 1; i < 50; ++i) text += "000000" + std::to_string(10 + i) + "\n";
    return list(text);
  }
  Outcome detect(const std::string& picture, std::vector<std::string> more) const {
    more.insert(more.begin(), {"detect", model(), asset(picture)});
    return run_sealite(more);
  }

  ScratchFolder folder_;
};

TEST_F(FalsePositiveRate, ARateThatBitsAndCandidatesCannotReachIsRefused) {
  expect_refusal(detect("coffee.png", {"--candidates", fifty(), "--fpr", "1e-9"}), ErrorCode::kUsage,
                 {"--fpr 1e-9: 32 bits and 50 candidates cannot go below 1.2e-8", "fewer candidates"});
  expect_refusal(detect("missing.png", {"--expect", kDemoMessage, "--fpr", "1e-10"}), ErrorCode::kUsage,
                 {"32 bits and 1 candidate cannot go below 2.3e-10"});
  expect_refusal(detect("coffee.png", {"--fpr", "1e-6"}), ErrorCode::kUsage, {"--expect", "--candidates"});
  for (const char* rate : {"0", "2", "-1", "low"})
    expect_refusal(detect("coffee.png", {"--expect", kDemoMessage, "--fpr", rate}), ErrorCode::kUsage,
                   {"--fpr"});
}

TEST_F(FalsePositiveRate, APictureCarriesTheMessageOrNot) {
  const std::vector<std::string> options{"--expect", kDemoMessage, "--candidates", fifty(), "--fpr", "2e-8"};
  const Outcome marked = detect("coffee.watermarked.png", options);
  expect_success(marked);
  EXPECT_NE(marked.out.find("p = 2.3e-10\n  found: yes, p is at most 2e-8"), std::string::npos) << marked.out;
  EXPECT_NE(marked.out.find("p = 1.2e-8 for 50 candidates\n    found: yes"), std::string::npos) << marked.out;
  EXPECT_NE(detect("coffee.png", options).out.find("found: no, p is above 2e-8"), std::string::npos);
  std::vector<std::string> json = options;
  json.emplace_back("--json");
  const Json line = Json::parse(detect("coffee.png", json).out);
  EXPECT_EQ(line["found"], false);
  EXPECT_EQ(line["candidate"]["found"], false);
  EXPECT_FALSE(Json::parse(detect("coffee.png", {"--expect", kDemoMessage, "--json"}).out).contains("found"));
}

TEST_F(FalsePositiveRate, ARepeatedCandidateIsNamedAndCountsOnce) {
  const std::string path = list("CD750D7D alice\n00000000 nobody\ncd750d7d bob\n");
  const Outcome text = detect("coffee.watermarked.png", {"--candidates", path});
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.err.find("list.txt', line 3 (bob): the same message as line 1 (alice); it counts once"),
            std::string::npos)
      << text.err;
  EXPECT_NE(
      text.out.find("best candidate: line 1 (alice), message cd750d7d\n    the same message: line 3 (bob)\n"),
      std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("p = 4.7e-10 for 2 candidates"), std::string::npos) << text.out;
  const Json line = Json::parse(detect("coffee.watermarked.png", {"--candidates", path, "--json"}).out);
  EXPECT_EQ(line["candidate"]["candidates"], 2);
  EXPECT_EQ(line["candidate"]["also"], (Json::parse(R"([{"line": 3, "label": "bob"}])")));
  std::string many;
  for (int i = 0; i < 20; ++i) many += "00000000\n";
  const Outcome all = detect("coffee.png", {"--candidates", list(many)});
  EXPECT_EQ(std::ranges::count(all.err, '\n'), 6) << all.err;
  EXPECT_NE(all.err.find("14 more lines repeat a message"), std::string::npos) << all.err;
}

}  // namespace
}  // namespace sealite

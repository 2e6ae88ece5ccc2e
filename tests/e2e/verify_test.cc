#include <nlohmann/json.hpp>

#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

class VerifyCommand : public ::testing::Test {
 protected:
  VerifyCommand() { expect_success(convert_demo(model())); }
  std::string model() const { return folder / "demo.tflite"; }

  const ScratchFolder folder;
};

TEST_F(VerifyCommand, MatchesIsZero) {
  const Outcome outcome = run_sealite({"verify", model(), "--checkpoint", asset("demo.pth"), "--images",
                                       asset("coffee.png"), "--report", folder / "report.html"});
  expect_success(outcome);
  EXPECT_NE(outcome.out.find("MATCHES its checkpoint (Sealite's own float32 evaluator)"), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("relative error"), std::string::npos) << outcome.out;
  const std::string page = read_text(folder / "report.html");
  EXPECT_NE(page.find("sealite verify " + model()), std::string::npos);
  EXPECT_EQ(folder.entries(), 2);
}

TEST_F(VerifyCommand, AnEmbedderMatchesToo) {
  const std::string embedder = folder / "demo.embedder.tflite";
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  const std::vector<std::string> command{"verify",          embedder, "--checkpoint",
                                         asset("demo.pth"), "--card", asset("demo.card.yaml")};
  std::vector<std::string> arguments = command;
  arguments.insert(arguments.end(),
                   {"--images", asset("coffee.png"), "--json", "--report", folder / "report.html"});
  const Outcome outcome = run_sealite(arguments);
  expect_success(outcome);
  EXPECT_EQ(outcome.err, "");
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["verdict"], "matches");
  EXPECT_EQ(json["compared_with"],
            nlohmann::json::array({"its checkpoint (Sealite's own float32 evaluator)"}));
  EXPECT_EQ(json["part"], "embedder");
  const auto& marked = json["marked"].at(0);
  EXPECT_EQ(marked["picture"], "coffee.png");
  EXPECT_EQ(marked["width"], 600);
  EXPECT_EQ(marked["message"].get<std::string>().size(), 8U);
  const auto& psnr = marked["psnr_model_against_reference"];
  EXPECT_TRUE(psnr.is_null() || psnr > 80) << "null: infinite, the same picture";
  EXPECT_NEAR(marked["psnr_model_against_picture"].get<double>(), 27.5, 0.5);
  EXPECT_NE(read_text(folder / "report.html").find("Marked pictures"), std::string::npos);

  const Outcome text = run_sealite(command);
  expect_success(text);
  EXPECT_NE(text.out.find("PSNR, model against reference"), std::string::npos) << text.out;
  EXPECT_EQ(run_sealite({"verify", embedder}).status, 2);
}

// At this size the first stage's hidden activation is computed in strips: the written file must still be the
// network.
TEST_F(VerifyCommand, AModelOfLargePicturesMatchesToo) {
  const std::string large = folder / "large.tflite";
  const std::string checkpoint = fixture("pixelseal_tiny.pth");
  const std::string card = fixture("pixelseal_tiny.card.yaml");
  const Outcome converted = run_sealite({"convert", checkpoint, "--card", card, "-o", large, "--image-size",
                                         "1280", "--quantize", "int8", "--dump-after", "strip-hidden"});
  EXPECT_EQ(converted.status, 0);
  EXPECT_NE(converted.err.find("strip1"), std::string::npos) << converted.err;
  const Outcome outcome = run_sealite({"verify", large, "--checkpoint", checkpoint, "--card", card,
                                       "--images", asset("coffee.png"), "--runs", "1"});
  expect_success(outcome);
  EXPECT_NE(outcome.out.find("MATCHES its checkpoint (Sealite's own float32 evaluator)"), std::string::npos)
      << outcome.out;
}

TEST_F(VerifyCommand, CannotTellIsTwoAndFailsIsOne) {
  const Outcome open = run_sealite({"verify", model(), "--json"});
  EXPECT_EQ(open.status, 2);
  EXPECT_EQ(open.err, "");
  EXPECT_EQ(nlohmann::json::parse(open.out)["verdict"], "cannot_tell");

  write_text(folder / "cut.tflite", read_text(model()).substr(0, 100000));
  const Outcome cut =
      run_sealite({"verify", folder / "cut.tflite", "--json", "--report", folder / "cut.html"});
  EXPECT_EQ(cut.status, 1);
  const auto json = nlohmann::json::parse(cut.out);
  EXPECT_EQ(json["verdict"], "fails");
  EXPECT_EQ(json["checks"][0]["name"], "loads");
  EXPECT_EQ(json["checks"][0]["outcome"], "fail");
  EXPECT_TRUE(std::filesystem::exists(folder / "cut.html"));
}

// The verdict has taken its time: a page that cannot be written does not cost it. The page has over 8 KB,
// what is printed less than 4.
TEST_F(VerifyCommand, TheVerdictIsGivenWhateverBecomesOfThePage) {
  const Outcome outcome =
      run_in_shell(R"(ulimit -f 8; "$@")", {"verify", model(), "--checkpoint", asset("demo.pth"), "--card",
                                            asset("demo.card.yaml"), "--report", folder / "page.html"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nTime: "), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err.rfind("sealite: warning: --report: no page was written: ", 0), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("page.html"), std::string::npos) << outcome.err;
  EXPECT_EQ(folder.entries(), 1);
}

TEST_F(VerifyCommand, ThePagesPathIsTriedBeforeTheWork) {
  // Else the missing picture would be the error.
  const Outcome outcome = run_sealite(
      {"verify", model(), "--images", folder / "absent.png", "--report", folder / "no" / "where.html"});
  expect_refusal(outcome, ErrorCode::kIo, {"--report", "where.html", "No such file or directory"});
  EXPECT_EQ(folder.entries(), 1);
}

TEST_F(VerifyCommand, ErrorsAreNotVerdicts) {
  expect_refusal(run_sealite({"verify", folder / "absent"}), ErrorCode::kNotFound, {"absent"});
  expect_refusal(run_sealite({"verify", model(), "--checkpoint", asset("coffee.png")}),
                 ErrorCode::kUnsupported, {"coffee.png"});
  expect_refusal(run_sealite({"verify", model(), "--images", model()}), ErrorCode::kMalformed,
                 {"demo.tflite"});
  expect_refusal(run_sealite({"verify", model(), "--report", folder / "no" / "where.html"}), ErrorCode::kIo,
                 {"where.html"});
  expect_refusal(run_sealite({"verify", model(), "--runs", "0"}), ErrorCode::kUsage, {"--runs"});
}

}  // namespace
}  // namespace sealite

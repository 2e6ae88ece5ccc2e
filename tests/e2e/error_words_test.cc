#include <nlohmann/json.hpp>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

// What went wrong, and not something near it.
class ErrorWords : public ::testing::Test {
 protected:
  std::string make_checkpoint(const std::string& part,
                              const std::string& card = asset("demo.card.yaml")) const {
    const std::string path = folder_ / (part + ".pth");
    expect_success(run_sealite({"make-checkpoint", "--card", card, "--part", part, "-o", path}));
    return path;
  }
  std::string model() const {
    const std::string path = folder_ / "demo.tflite";
    if (!std::filesystem::exists(path)) expect_success(convert_demo(path));
    return path;
  }
  std::string folder() const {
    std::filesystem::create_directories(folder_ / "folder");
    return folder_ / "folder";
  }

  ScratchFolder folder_;
};

TEST_F(ErrorWords, ACheckpointWithoutTheEmbedderIsNotTheCardsFault) {
  const std::string checkpoint = make_checkpoint("detector");
  for (const char* part : {"both", "embedder"}) {
    for (const std::vector<std::string>& card :
         {std::vector<std::string>{}, {"--card", asset("demo.card.yaml")}}) {
      std::vector<std::string> command{"convert", checkpoint, "-o", folder_ / "x.tflite", "--part", part};
      command.insert(command.end(), card.begin(), card.end());
      const Outcome outcome = run_sealite(command);
      expect_refusal(outcome, ErrorCode::kMismatch,
                     {"detector.pth' has no embedder", "none of its 121 tensors is under 'embedder.'",
                      "--part detector"});
      EXPECT_EQ(outcome.err.find("card"), std::string::npos) << outcome.err;
    }
  }
  EXPECT_EQ(folder_.entries(), 1);
}

TEST_F(ErrorWords, AFolderIsCalledOne) {
  const std::string picture = asset("coffee.png");
  const std::vector<std::vector<std::string>> commands{
      {"inspect", folder()},
      {"convert", folder(), "-o", folder_ / "x.tflite"},
      {"detect", folder(), picture},
      {"detect", model(), picture, "--candidates", folder()},
      {"verify", model(), "--checkpoint", folder()},
      {"extract", folder(), "-o", folder_ / "x.pth"},
      {"make-checkpoint", "--card", folder(), "-o", folder_ / "x.pth"},
      {"bench", folder()}};
  for (const std::vector<std::string>& command : commands) {
    SCOPED_TRACE(command[0]);
    expect_refusal(run_sealite(command), ErrorCode::kNotFound, {"a folder, "});
  }
  // As pictures a folder stands for those in it.
  for (const auto& command :
       {std::vector<std::string>{"detect", model(), folder()}, {"verify", model(), "--images", folder()}})
    expect_refusal(run_sealite(command), ErrorCode::kUsage, {"no pictures"});
}

TEST_F(ErrorWords, ACardFileThatDoesNotExistIsAMissingFile) {
  const auto convert = [&](const std::string& card) {
    return run_sealite({"convert", asset("demo.pth"), "-o", folder_ / "x.tflite", "--card", card});
  };
  for (const std::string card : {"nope.yaml", "nope.yml", "cards/nope"})
    expect_refusal(convert(card), ErrorCode::kNotFound, {"no card file '" + card + "'", "pixelseal"});
  expect_refusal(convert("nope"), ErrorCode::kNotFound,
                 {"no card 'nope': give a YAML file's path or one of"});
}

// An installed program has no `make setup` beside it.
TEST_F(ErrorWords, SetUpIsNotForThoseWhoInstalled) {
  const std::string program = folder_ / "bin" / "sealite";
  std::filesystem::create_directories(folder_ / "bin");
  std::filesystem::copy_file(SEALITE_BINARY, program);
  const Outcome outcome =
      Process({program, "detect", model(), asset("coffee.png"), "--litert", "/nowhere/libLiteRt.so"}).wait();
  expect_refusal(outcome, ErrorCode::kUnsupported,
                 {"/nowhere/libLiteRt.so", "SEALITE_LITERT", "ai-edge-litert"});
  EXPECT_EQ(outcome.err.find("make setup"), std::string::npos) << outcome.err;
}

TEST_F(ErrorWords, ANumberAmongTheCandidatesIsToldHowIdsAreWritten) {
  std::string card = read_text(asset("demo.card.yaml"));
  card.replace(card.find("nbits: 32"), 9, "nbits: 256");
  write_text(folder_ / "card.yaml", card);
  const std::string wide = folder_ / "wide.tflite";
  expect_success(run_sealite({"convert", make_checkpoint("detector", folder_ / "card.yaml"), "-o", wide,
                              "--card", folder_ / "card.yaml"}));
  write_text(folder_ / "list.txt", "1234 alice\n");
  const std::vector<std::string> candidates{"detect", wide, asset("coffee.png"), "--candidates",
                                            folder_ / "list.txt"};
  expect_refusal(run_sealite(candidates), ErrorCode::kMalformed, {"list.txt', line 1", "found 4", "id:1234"});
  expect_refusal(run_sealite({"detect", wide, asset("coffee.png"), "--expect", "1234"}), ErrorCode::kUsage,
                 {"--expect", "id:1234"});
  // 32 bits carry no ids.
  const Outcome narrow = run_sealite({"detect", model(), asset("coffee.png"), "--expect", "1234"});
  expect_refusal(narrow, ErrorCode::kUsage, {"found 4"});
  EXPECT_EQ(narrow.err.find("id:"), std::string::npos) << narrow.err;
}

}  // namespace
}  // namespace sealite

#include "e2e/run_sealite.h"

namespace sealite {
namespace {

TEST(Help, EveryCommandHasExamples) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{},
                                                                                       {"inspect"},
                                                                                       {"convert"},
                                                                                       {"verify"},
                                                                                       {"detect"},
                                                                                       {"embed"},
                                                                                       {"extract"},
                                                                                       {"make-checkpoint"},
                                                                                       {"bench"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Outcome outcome = run_sealite(arguments);
    const std::string name = command.empty() ? "sealite" : "sealite " + command[0];
    SCOPED_TRACE(name);
    expect_success(outcome);
    const auto examples = outcome.out.find("Example");
    ASSERT_NE(examples, std::string::npos);
    EXPECT_NE(outcome.out.find("  " + name, examples), std::string::npos);
  }
}

TEST(Help, NamesTheExitStatuses) {
  const std::string help = run_sealite({"--help"}).out;
  for (const char* status :
       {"3 embed --check", "64", "65", "66", "69", "70", "71", "74", "75", "78", "130"}) {
    EXPECT_NE(help.find(status), std::string::npos) << status;
  }
}

TEST(Help, Version) {
  const Outcome outcome = run_sealite({"--version"});
  expect_success(outcome);
  EXPECT_EQ(outcome.out.rfind("sealite ", 0), 0U) << outcome.out;
}

TEST(Usage, WrongCommandLinesAre64) {
  expect_refusal(run_sealite({}), ErrorCode::kUsage, {"see sealite --help"});
  expect_refusal(run_sealite({"embroider"}), ErrorCode::kUsage, {"'embroider'", "see sealite --help"});
  expect_refusal(run_sealite({"convert"}), ErrorCode::kUsage, {"checkpoint", "see sealite convert --help"});
  expect_refusal(run_sealite({"convert", "a", "-o", "b", "--bogus"}), ErrorCode::kUsage, {"--bogus"});
  expect_refusal(run_sealite({"convert", "a", "-o", "b", "--layout", "hwcn"}), ErrorCode::kUsage, {"layout"});
  expect_refusal(run_sealite({"convert", "a", "-o", "b", "--image-size", "1"}), ErrorCode::kUsage, {"16"});
  expect_refusal(run_sealite({"convert", asset("demo.pth")}), ErrorCode::kUsage, {"-o", "--output_dir"});
  expect_refusal(run_sealite({"detect", "a.tflite"}), ErrorCode::kUsage, {"pictures"});
  expect_refusal(run_sealite({"detect", "a.tflite", "b.png", "--threads", "0"}), ErrorCode::kUsage,
                 {"--threads"});
  const ScratchFolder folder;
  expect_refusal(
      run_sealite({"make-checkpoint", "--card", asset("demo.card.yaml"), "-o", folder / "x", "--seed", "-1"}),
      ErrorCode::kUsage, {"--seed"});
}

TEST(Usage, OutputThatReachesNobodyIsAFailure) {
  const std::vector<std::string> arguments{"inspect", asset("demo.pth"), "--json"};
  expect_refusal(run_in_shell(R"("$@" >/dev/full)", arguments), ErrorCode::kIo, {"standard output"});
}

}  // namespace
}  // namespace sealite

#include <sys/stat.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

// A sanitizer's own memory, terabytes of it, would count.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryCanBeLimited = false;
#else
constexpr bool kMemoryCanBeLimited = true;
#endif
constexpr const char* kSanitizer = "the sanitizer reserves terabytes, which the limit counts";

class LimitsTest : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(model())); }
  std::string model() const { return folder_ / "demo.tflite"; }

  ScratchFolder folder_;
};

TEST_F(LimitsTest, EveryCommandHasThem) {
  for (const char* command :
       {"inspect", "convert", "verify", "embed", "detect", "extract", "make-checkpoint", "bench"}) {
    const std::string help = run_sealite({command, "--help"}).out;
    EXPECT_NE(help.find("--max-memory SIZE"), std::string::npos) << command;
    EXPECT_NE(help.find("--timeout SECONDS"), std::string::npos) << command;
  }
}

TEST_F(LimitsTest, GenerousOnesChangeNothing) {
  if (!kMemoryCanBeLimited) GTEST_SKIP() << kSanitizer;
  expect_success(run_sealite({"detect", model(), asset("coffee.png"), "--max-memory", "2G", "--timeout",
                              "600", "--max-pixels", "10000000"}));
}

TEST_F(LimitsTest, WrongOnesAreUsage) {
  const std::vector<std::vector<std::string>> wrong{{"--max-memory", "much"}, {"--timeout", "0"},
                                                    {"--timeout", "soon"},    {"--max-pixels", "0"},
                                                    {"--max-memory", "-1"},   {"--max-pixels", "-1"}};
  for (const std::vector<std::string>& words : wrong) {
    std::vector<std::string> command{"detect", model(), asset("coffee.png")};
    command.insert(command.end(), words.begin(), words.end());
    expect_refusal(run_sealite(command), ErrorCode::kUsage, {words[0]});
  }
}

// coffee.png has 600 x 400 pixels, chelsea.png 225 x 160.
TEST_F(LimitsTest, LargerPicturesAreRefusedAndTheOthersRead) {
  const Outcome outcome = run_sealite({"detect", model(), asset("coffee.png"), fixture("photos/chelsea.png"),
                                       "--max-pixels", "239999", "--json"});
  EXPECT_EQ(outcome.status, static_cast<int>(ErrorCode::kUnsupported)) << outcome.err;
  const auto end = outcome.out.find('\n');
  const auto refused = nlohmann::json::parse(outcome.out.substr(0, end));
  EXPECT_EQ(refused["error"]["code"], "unsupported");
  EXPECT_NE(refused["error"]["message"].get<std::string>().find("239999"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(outcome.out.substr(end))["bits"], 32);
  expect_success(run_sealite({"detect", model(), asset("coffee.png"), "--max-pixels", "240000"}));
}

TEST_F(LimitsTest, PixelsCountWhereverPicturesAreRead) {
  const std::string embedder = folder_ / "embedder.tflite";
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  const std::vector<std::vector<std::string>> commands{
      {"embed", embedder, asset("coffee.png"), "-o", folder_ / "marked.png", "--random"},
      {"verify", model(), "--images", asset("coffee.png")},
      {"convert", asset("demo.pth"), "--card", asset("demo.card.yaml"), "-o", folder_ / "int8.tflite",
       "--quantize", "int8", "--calibrate", asset("coffee.png")}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--max-pixels", "239999"});
    expect_refusal(run_sealite(command), ErrorCode::kUnsupported, {"coffee.png", "239999"});
  }
  EXPECT_EQ(folder_.entries(), 2) << "a file was left behind";
}

// Libraries that get no memory call abort(): that must not look like a crash.
TEST_F(LimitsTest, WithLittleMemoryItIsStatus71OrTheRightAnswer) {
  if (!kMemoryCanBeLimited) GTEST_SKIP() << kSanitizer;
  const std::vector<std::string> detect{"detect", model(), asset("coffee.watermarked.png"), "--expect",
                                        kDemoMessage};
  const std::string right = run_sealite(detect).out;
  int refused = 0;
  int need_named = 0;
  for (int megabytes = 1; megabytes < 200; megabytes += megabytes < 40 ? 3 : 20) {
    SCOPED_TRACE(megabytes);
    std::vector<std::string> command = detect;
    command.insert(command.end(), {"--max-memory", std::to_string(megabytes) + "M"});
    const Outcome outcome = run_sealite(command);
    need_named += outcome.err.find("no room for another") != std::string::npos ||
                          outcome.err.find("packs the file's 3.65 MiB") != std::string::npos
                      ? 1
                      : 0;
    if (outcome.status == 0) {
      EXPECT_EQ(outcome.out, right);
    } else {
      ++refused;
      EXPECT_EQ(outcome.signal, 0) << outcome.err;
      EXPECT_EQ(outcome.status, static_cast<int>(ErrorCode::kNoMemory)) << outcome.err;
      // Above it may stand what libvips says of modules that it could not load.
      const std::string::size_type line = outcome.err.rfind("sealite: error: ");
      ASSERT_NE(line, std::string::npos) << outcome.err;
      EXPECT_NE(outcome.err.find("memory", line), std::string::npos) << outcome.err;
      const std::string limit = std::to_string(megabytes) + ".00 MiB (--max-memory)";
      EXPECT_NE(outcome.err.find("the limit is " + limit, line), std::string::npos) << outcome.err;
      EXPECT_EQ(outcome.out, "");
    }
  }
  EXPECT_GT(need_named, refused / 2) << "of " << refused;
  EXPECT_GT(refused, 2);
  EXPECT_LT(refused, 15);
}

// A file that LiteRT refuses, whatever the memory.
TEST_F(LimitsTest, AMalformedModelIsMalformedUnderAnyLimit) {
  if (!kMemoryCanBeLimited) GTEST_SKIP() << kSanitizer;
  const std::string broken = SEALITE_SOURCE_DIR "/tests/runtime/data/broken.tflite";
  const std::string free = run_sealite({"bench", broken, "--no-peak"}).err;
  for (const char* limit : {"ulimit -v 4000000", "ulimit -d 1000000"}) {
    SCOPED_TRACE(limit);
    const Outcome outcome = run_in_shell(std::string(limit) + R"(; "$@")", {"bench", broken, "--no-peak"});
    expect_refusal(outcome, ErrorCode::kMalformed, {"broken.tflite", "LiteRT cannot prepare the model"});
    EXPECT_EQ(outcome.err, free);
  }
  expect_refusal(run_sealite({"bench", broken, "--max-memory", "1G"}), ErrorCode::kMalformed,
                 {"broken.tflite"});
}

// A library that stops for another reason has not run out of memory.
TEST_F(LimitsTest, AnAbortForAnotherReasonStaysOne) {
  if (!kMemoryCanBeLimited) GTEST_SKIP() << kSanitizer;
  Process process(sealite_command({"bench", model(), "--runs", "100000", "--max-memory", "1G"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  process.send(SIGABRT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.signal, SIGABRT) << outcome.err;
  EXPECT_EQ(outcome.err.find("memory"), std::string::npos) << outcome.err;
}

TEST_F(LimitsTest, ConvertTooIsHeldToTheMemory) {
  if (!kMemoryCanBeLimited) GTEST_SKIP() << kSanitizer;
  std::filesystem::remove(model());
  expect_refusal(convert_demo(model(), {"--max-memory", "1M"}), ErrorCode::kNoMemory, {"memory"});
  EXPECT_EQ(folder_.entries(), 0);
}

// So many runs would take minutes.
TEST_F(LimitsTest, TimeoutEndsWhatTakesTooLong) {
  expect_refusal(run_sealite({"bench", model(), "--runs", "100000", "--timeout", "0.3"}), ErrorCode::kTimeout,
                 {"stopped after 0.3 s (--timeout)"});
}

// Nobody writes into this pipe, so opening it never ends.
TEST_F(LimitsTest, TimeoutEndsWhatDoesNotAskForIt) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_refusal(
      run_sealite({"detect", model(), asset("coffee.png"), "--candidates", pipe, "--timeout", "0.1"}),
      ErrorCode::kTimeout, {"stopped after 0.1 s (--timeout)"});
}

}  // namespace
}  // namespace sealite

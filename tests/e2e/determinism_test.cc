#include "e2e/demo_model.h"
#include "fixture_files.h"

namespace sealite {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> command;  // what is written goes to the path behind "-o"
};

std::vector<std::string> convert(const std::vector<std::string>& more) {
  std::vector<std::string> command{"convert", asset("demo.pth"), "--card", asset("demo.card.yaml")};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// Whatever is computed or written by several threads.
std::vector<Case> cases() {
  const std::string photo = fixture("photos/chelsea.png");
  return {{"float32", convert({})},
          {"fp16", convert({"--quantize", "fp16"})},
          {"int8", convert({"--quantize", "int8"})},
          {"int4", convert({"--quantize", "int4"})},
          {"calibrated", convert({"--quantize", "int8", "--calibrate", photo})},
          {"gptq", convert({"--quantize", "int4", "--calibrate", photo, "--gptq"})},
          {"embedder", convert({"--part", "embedder", "--quantize", "int8"})},
          {"vit",
           {"convert", fixture("videoseal_0.0_tiny.pth"), "--card", fixture("videoseal_0.0_tiny.card.yaml"),
            "--quantize", "int8"}},
          {"extract", {"extract", asset("demo.pth")}},
          {"make-checkpoint", {"make-checkpoint", "--card", asset("demo.card.yaml")}}};
}

std::string written(std::vector<std::string> command, const ScratchFolder& folder, const std::string& name,
                    const std::string& workers) {
  std::filesystem::create_directory(folder / workers);
  const std::string path = folder / workers / name;  // a checkpoint holds its file's name
  command.insert(command.end(), {"-o", path, "--workers", workers});
  const Outcome outcome = run_sealite(command);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return read_text(path);
}

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class Determinism : public ::testing::TestWithParam<Case> {};

TEST_P(Determinism, TheSameBytesWhateverTheNumberOfThreads) {
  const ScratchFolder folder;
  const std::string file = GetParam().command[0] == "convert" ? "x.tflite" : "x.pth";
  const std::string one = written(GetParam().command, folder, file, "1");
  EXPECT_GT(one.size(), 1000U);
  for (const char* workers : {"2", "3", "16"}) {
    EXPECT_TRUE(written(GetParam().command, folder, file, workers) == one) << workers << " workers";
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, Determinism, ::testing::ValuesIn(cases()), [](const auto& instance) {
  return instance.param.name == "make-checkpoint" ? "make_checkpoint" : instance.param.name;
});

TEST(DeterminismOfPictures, TheSameBytesWhateverTheNumberOfThreads) {
  const ScratchFolder folder;
  const std::string embedder = folder / "embedder.tflite";
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  for (const char* extension : {".png", ".jpg", ".webp", ".avif", ".tif"}) {
    const std::vector<std::string> embed{"embed", embedder, asset("coffee.png"), "--message", kDemoMessage};
    const std::string one = written(embed, folder, std::string("x") + extension, "1");
    std::vector<std::string> threads = embed;
    threads.insert(threads.end(), {"--threads", "2"});
    EXPECT_TRUE(written(threads, folder, std::string("x") + extension, "7") == one) << extension;
  }
}

TEST(DeterminismOfDetection, TheSameLinesWhateverTheNumberOfThreads) {
  const ScratchFolder folder;
  const std::string detector = folder / "demo.tflite";
  expect_success(convert_demo(detector));
  const std::vector<std::string> detect{"detect", detector, asset("coffee.watermarked.png"),
                                        fixture("photos/rocket.jpg"), fixture("photos/china.jpg")};
  const std::string one = run_sealite(detect).out;
  EXPECT_NE(one, "");
  for (const char* number : {"1", "2", "5"}) {
    std::vector<std::string> several = detect;
    several.insert(several.end(), {"--threads", number, "--jobs", number, "--workers", number});
    EXPECT_EQ(run_sealite(several).out, one) << number;
  }
}

}  // namespace
}  // namespace sealite

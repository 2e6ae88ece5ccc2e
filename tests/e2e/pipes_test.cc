#include "e2e/demo_model.h"

namespace sealite {
namespace {

class Pipes : public ::testing::Test {
 protected:
  void SetUp() override { expect_success(convert_demo(folder_ / "demo.tflite", {"--part", "both"})); }
  std::string detector() const { return folder_ / "demo.detector.tflite"; }
  std::string embedder() const { return folder_ / "demo.embedder.tflite"; }
  // `file` is what comes in.
  static Outcome piped(const std::string& file, std::vector<std::string> arguments) {
    return run_in_shell(R"(cat "$0" | "$@")", std::move(arguments), file);
  }

  ScratchFolder folder_;
};

TEST_F(Pipes, AModelFromTheStandardInput) {
  const std::string marked = asset("coffee.watermarked.png");
  const Outcome read = piped(detector(), {"detect", "-", marked, "--expect", kDemoMessage});
  expect_success(read);
  EXPECT_NE(read.out.find("32 of 32"), std::string::npos) << read.out;
  EXPECT_EQ(read.out, run_sealite({"detect", detector(), marked, "--expect", kDemoMessage}).out);
  const auto embed = [&](const std::string& model, const std::string& name) {
    return std::vector<std::string>{"embed",        model,       asset("coffee.png"), "-o",
                                    folder_ / name, "--message", kDemoMessage};
  };
  expect_success(piped(embedder(), embed("-", "a.png")));
  expect_success(run_sealite(embed(embedder(), "b.png")));
  EXPECT_EQ(read_text(folder_ / "a.png"), read_text(folder_ / "b.png"));
}

TEST_F(Pipes, InspectShowsWhatComesIn) {
  for (const std::string& file : {asset("demo.pth"), detector()}) {
    const Outcome outcome = piped(file, {"inspect", "-", "--tensors"});
    expect_success(outcome);
    const std::string whole = run_sealite({"inspect", file, "--tensors"}).out;
    EXPECT_EQ(outcome.out, "-" + whole.substr(file.size()));
  }
}

TEST_F(Pipes, BrokenModelsAreRefusedByTheirName) {
  const std::string part = folder_ / "part";
  const std::string picture = asset("coffee.png");
  for (const std::string& file : {asset("demo.pth"), detector()}) {
    write_text(part, read_text(file).substr(0, 3000));
    const Outcome shown = piped(part, {"inspect", "-"});
    expect_refusal(shown, ErrorCode::kMalformed,
                   {file.ends_with(".pth") ? "error: -: broken zip" : "'-' is no sound"});
    EXPECT_EQ(shown.err.find("/proc"), std::string::npos) << shown.err;
    expect_refusal(piped(part, {"detect", "-", picture}), ErrorCode::kMalformed, {"'-'"});
  }
  write_text(part, "");
  expect_refusal(piped(part, {"detect", "-", picture}), ErrorCode::kMalformed, {"no bytes came"});
  expect_refusal(piped(part, {"inspect", "-"}), ErrorCode::kMalformed, {"no bytes came"});
  expect_refusal(piped(detector(), {"detect", "-", "-"}), ErrorCode::kUsage, {"more than once"});
  expect_refusal(piped(picture, {"detect", detector(), "-", "-"}), ErrorCode::kUsage, {"more than once"});
}

TEST_F(Pipes, APictureFromTheStandardInputIsMarked) {
  const auto embed = [&](const std::string& in, const std::string& out) {
    return std::vector<std::string>{"embed", embedder(), in, "-o", out, "--message", kDemoMessage};
  };
  const Outcome marked = piped(asset("coffee.png"), embed("-", folder_ / "a.png"));
  expect_success(marked);
  EXPECT_NE(marked.out.find("600 x 400 pixels"), std::string::npos) << marked.out;
  expect_success(run_sealite(embed(asset("coffee.png"), folder_ / "b.png")));
  EXPECT_EQ(read_text(folder_ / "a.png"), read_text(folder_ / "b.png"));
  expect_refusal(piped(asset("coffee.png"), embed("-", "-")), ErrorCode::kUsage,
                 {"'-'", "no picture format"});
  const Outcome json = piped(asset("coffee.png"), {"embed", embedder(), "-", "--output-dir", folder_ / "out",
                                                   "--output-name", "x.png", "--random", "--json"});
  expect_success(json);
  EXPECT_EQ(json.out.rfind(R"({"picture":"-",)", 0), 0U) << json.out;
}

TEST_F(Pipes, VerifyTakesTheGuidesWordsAndFolders) {
  std::filesystem::create_directory(folder_ / "photos");
  std::filesystem::copy_file(asset("coffee.png"), folder_ / "photos" / "a.png");
  write_text(folder_ / "photos" / ".DS_Store", "Bud1 and more");
  const Outcome guide =
      run_sealite({"verify", "--tflite_model", detector(), "--checkpoint", asset("demo.pth"), "--card",
                   asset("demo.card.yaml"), "--image_path", asset("coffee.png"), "--runs", "1"});
  EXPECT_EQ(guide.status, 0) << guide.out << guide.err;
  EXPECT_NE(guide.out.find("MATCHES"), std::string::npos) << guide.out;
  EXPECT_NE(guide.out.find("Runs on real pictures"), std::string::npos) << guide.out;
  const Outcome folder =
      run_sealite({"verify", detector(), "--checkpoint", asset("demo.pth"), "--card", asset("demo.card.yaml"),
                   "--images", folder_ / "photos", "--runs", "1", "--json"});
  EXPECT_EQ(folder.status, 0) << folder.out << folder.err;
  EXPECT_NE(folder.out.find("\"1 picture, "), std::string::npos)
      << "two synthetic ones without: " << folder.out;
  EXPECT_NE(folder.err.find(".DS_Store': no picture that is read; skipped"), std::string::npos) << folder.err;
}

// Tests run as root, whom no permission stops: the program runs as nobody.
class Permissions : public Pipes {
 protected:
  void SetUp() override {
    Pipes::SetUp();
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
    for (const char* name : {"photo.png", "model.tflite", "list", "checkpoint.pth", "card.yaml"}) {
      write_text(folder_ / name, read_text(asset("coffee.png")));
      std::filesystem::permissions(folder_ / name, std::filesystem::perms{0});
    }
    // The project may lie where nobody may not look.
    for (const char* name : {"coffee.png", "demo.pth", "demo.card.yaml"})
      std::filesystem::copy_file(asset(name), folder_ / name);
    const char* const library = std::getenv("SEALITE_LITERT");
    std::filesystem::copy_file(library != nullptr ? library : SEALITE_SOURCE_DIR "/build/litert/libLiteRt.so",
                               folder_ / "libLiteRt.so");
    std::filesystem::create_directory(folder_ / "closed", folder_.path());
    std::filesystem::permissions(folder_ / "closed", std::filesystem::perms{0});
    const Outcome tried = as_nobody({"inspect", detector()});
    if (tried.status != 0) GTEST_SKIP() << "nobody cannot run the program here: " << tried.err;
  }
  void TearDown() override { std::filesystem::permissions(folder_ / "closed", std::filesystem::perms{0755}); }
  Outcome as_nobody(const std::vector<std::string>& arguments) const {
    if (::geteuid() != 0) return run_sealite(arguments);
    return run_in_shell(
        fmt::format("SEALITE_LITERT='{}' exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"",
                    (folder_ / "libLiteRt.so").string()),
        arguments);
  }
  void expect_denied(const std::vector<std::string>& arguments, const std::string& name) const {
    expect_refusal(as_nobody(arguments), ErrorCode::kIo, {folder_ / name, "Permission denied"});
  }
};

TEST_F(Permissions, WhatMayNotBeReadIsNamedWithTheReason) {
  const std::string good = (folder_ / "coffee.png").string();
  const std::string out = folder_ / "out.tflite";
  expect_denied({"detect", detector(), folder_ / "photo.png"}, "photo.png");
  expect_denied({"embed", embedder(), folder_ / "photo.png", "-o", "/tmp/never.png", "--random"},
                "photo.png");
  expect_denied({"detect", folder_ / "model.tflite", good}, "model.tflite");
  expect_denied({"inspect", folder_ / "checkpoint.pth"}, "checkpoint.pth");
  expect_denied({"convert", folder_ / "checkpoint.pth", "-o", out}, "checkpoint.pth");
  expect_denied({"convert", folder_ / "demo.pth", "--card", folder_ / "card.yaml", "-o", "/tmp/never.tflite"},
                "card.yaml");
  expect_denied({"detect", detector(), good, "--candidates", folder_ / "list"}, "list");
  expect_denied({"detect", detector(), folder_ / "closed"}, "closed");
  expect_denied({"detect", detector(), folder_ / "closed" / "a.png"}, "closed/a.png");
}

TEST_F(Permissions, AFolderOfPicturesSaysWhichMayNotBeRead) {
  std::filesystem::create_directory(folder_ / "photos", folder_.path());
  std::filesystem::copy_file(asset("coffee.watermarked.png"), folder_ / "photos" / "a.png");
  std::filesystem::rename(folder_ / "photo.png", folder_ / "photos" / "b.png");
  const Outcome outcome = as_nobody({"detect", detector(), folder_ / "photos"});
  EXPECT_EQ(outcome.status, static_cast<int>(ErrorCode::kIo));
  EXPECT_NE(outcome.out.find("a.png\n  message: cd750d7d"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("b.png: the picture cannot be opened: Permission denied"), std::string::npos)
      << outcome.err;
}

TEST_F(Permissions, WhereNothingMayBeWrittenIsNamed) {
  expect_denied({"embed", embedder(), (folder_ / "coffee.png").string(), "-o", folder_ / "a.png", "--random"},
                "a.png");
  expect_denied(
      {"embed", embedder(), (folder_ / "coffee.png").string(), "--output-dir", folder_ / "new", "--random"},
      "new");
  expect_denied({"extract", folder_ / "demo.pth", "-o", folder_ / "a.pth"}, "a.pth");
  expect_denied(
      {"convert", folder_ / "demo.pth", "--card", folder_ / "demo.card.yaml", "-o", folder_ / "a.tflite"},
      "a.tflite");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.png"));
}

}  // namespace
}  // namespace sealite

#include <sys/stat.h>

#include <optional>

#include "e2e/demo_model.h"

namespace sealite {
namespace {

TEST(BadOutput, FolderThatDoesNotExist) {
  const ScratchFolder folder;
  expect_refusal(convert_demo(folder / "missing" / "demo.tflite"), ErrorCode::kIo,
                 {"missing/demo.tflite", "No such file or directory"});
  EXPECT_EQ(folder.entries(), 0);
}

TEST(BadOutput, NameOfAFolder) {
  const ScratchFolder folder;
  expect_refusal(convert_demo(folder.path()), ErrorCode::kUsage, {"is a folder"});
  expect_refusal(convert_demo(folder.path() / ""), ErrorCode::kUsage, {"is a folder"});
  EXPECT_EQ(folder.entries(), 0);
}

TEST(BadOutput, FileInThePlaceOfAFolder) {
  const ScratchFolder folder;
  write_text(folder / "file", "x");
  expect_refusal(run_sealite({"convert", asset("demo.pth"), "--card", asset("demo.card.yaml"), "--output_dir",
                              folder / "file"}),
                 ErrorCode::kIo, {"cannot create the folder"});
}

// A rename would replace the pipe (or, for root, /dev/null itself) by a file.
TEST(BadOutput, PipesAndDevicesStayWhatTheyAre) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_refusal(convert_demo(folder / "pipe"), ErrorCode::kUsage, {"a device or a pipe"});
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(BadOutput, TheCheckpointItself) {
  const ScratchFolder folder;
  const auto path = folder / "demo.pth";
  std::filesystem::copy_file(asset("demo.pth"), path);
  const auto before = std::filesystem::file_size(path);
  expect_refusal(run_sealite({"convert", path, "-o", path, "--card", asset("demo.card.yaml")}),
                 ErrorCode::kUsage, {"the checkpoint itself"});
  EXPECT_EQ(std::filesystem::file_size(path), before);
}

// Whatever a command reads stays as it is: a report, a model or a picture in its place is refused before any
// work.
TEST(BadOutput, NoInputIsWrittenTo) {
  const ScratchFolder folder;
  const auto copy = [&](const char* name) {
    std::filesystem::copy_file(asset(name), folder / name);
    return folder / name;
  };
  const auto checkpoint = copy("demo.pth");
  const auto card = copy("demo.card.yaml");
  const auto photo = copy("coffee.png");
  const auto model = folder / "demo.tflite";
  const auto embedder = folder / "demo.embedder.tflite";
  expect_success(convert_demo(model));
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  const auto refuse = [&](const std::filesystem::path& lost, std::vector<std::string> words) {
    const std::string before = read_text(lost);
    expect_refusal(run_sealite(std::move(words)), ErrorCode::kUsage, {lost.string(), "itself"});
    EXPECT_EQ(read_text(lost), before) << lost;
  };
  for (const auto& lost : {checkpoint, card, photo, model}) {
    refuse(lost, {"verify", model, "--checkpoint", checkpoint, "--card", card, "--images", photo, "--report",
                  lost});
  }
  const std::vector<std::string> convert = {
      "convert", checkpoint, "--card", card, "--quantize", "int8", "--force", "-o", folder / "new.tflite"};
  for (const auto& lost : {checkpoint, card, photo}) {
    std::vector<std::string> words = convert;
    words.insert(words.end(), {"--calibrate", photo, "--quantize-report", lost});
    refuse(lost, words);
  }
  std::vector<std::string> itself = convert;
  itself.insert(itself.end(), {"--quantize-report", folder / "./new.tflite"});
  expect_refusal(run_sealite(itself), ErrorCode::kUsage, {"new.tflite", "the model that is written"});
  EXPECT_FALSE(std::filesystem::exists(folder / "new.tflite"));
  refuse(card, {"convert", checkpoint, "--card", card, "--force", "-o", card});
  refuse(card, {"make-checkpoint", "--card", card, "-o", card});
  refuse(model, {"embed", embedder, photo, "-o", model, "--message", "00000000", "--check", model});
}

TEST(BadOutput, NoPictureIsWrittenOverAnotherOfTheSameRun) {
  const ScratchFolder folder;
  const auto embedder = folder / "demo.embedder.tflite";
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  std::filesystem::create_directory(folder / "out");
  std::filesystem::copy_file(asset("coffee.png"), folder / "out/1.png");
  const std::string before = read_text(folder / "out/1.png");
  expect_refusal(
      run_sealite({"embed", embedder, asset("coffee.watermarked.png"), folder / "out/1.png", "--output-dir",
                   folder / "out", "--output-name", "{n}{ext}", "--message", "00000000"}),
      ErrorCode::kUsage, {"out/1.png", "the input itself"});
  EXPECT_EQ(read_text(folder / "out/1.png"), before);
  expect_refusal(run_sealite({"embed", embedder, asset("coffee.png"), "--output-dir", folder / "out",
                              "--output-name", "{foo}{ext}", "--message", "00000000"}),
                 ErrorCode::kUsage, {"{foo}", "{name}"});
}

TEST(BadOutput, AnOlderFileStaysUntilTheNewOneIsComplete) {
  const ScratchFolder folder;
  const auto path = folder / "demo.tflite";
  write_text(path, "older");
  const Outcome failed =
      run_sealite({"convert", asset("demo.pth"), "-o", path, "--card", "chunkyseal"});  // the wrong one
  expect_refusal(failed, ErrorCode::kMismatch, {});
  EXPECT_EQ(read_text(path), "older");
  expect_success(convert_demo(path, {"--force"}));
  EXPECT_GT(std::filesystem::file_size(path), 1000000U);
}

TEST(BadOutput, FileSizeLimit) {
  const ScratchFolder folder;
  const std::string limited = R"(ulimit -f 1000; "$@")";  // about 0.5 or 1 MB, as the shell counts
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"convert", asset("demo.pth"), "-o", folder / "x"}, {"make-checkpoint", "-o", folder / "x"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--card", asset("demo.card.yaml")});
    expect_refusal(run_in_shell(limited, arguments), ErrorCode::kIo, {"bytes", "File too large"});
    EXPECT_EQ(folder.entries(), 0);
  }
}

// What cannot be said changes neither the status nor, for a warning, the work.
TEST(BadOutput, StandardErrorThatCannotBeWritten) {
  const ScratchFolder folder;
  const std::string full = R"("$@" 2>/dev/full)";
  const Outcome missing = run_in_shell(full, {"inspect", folder / "missing.pth"});
  EXPECT_EQ(missing.status, static_cast<int>(ErrorCode::kNotFound));
  const std::string header = R"({"detector.x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  const float large = 1e6F;
  write_text(folder / "x.safetensors", file + header + std::string(reinterpret_cast<const char*>(&large), 4));
  const Outcome warned =
      run_in_shell(full, {"extract", folder / "x.safetensors", "-o", folder / "x.pth", "--dtype", "fp16"});
  EXPECT_EQ(warned.status, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "x.pth"));
}

// Runs sealite while `folder` is a small file system of its own, in a mount namespace that ends with it;
// stdout ends with what the folder then holds. Nothing if this user may not mount (needs root or user
// namespaces).
std::optional<Outcome> run_on_mount(const std::filesystem::path& folder, const std::string& options,
                                    std::vector<std::string> arguments) {
  const std::string unshare = ::geteuid() == 0 ? "unshare -m" : "unshare -rm";
  const std::string mount = "mount -t tmpfs -o " + options + " tmpfs '" + folder.string() + "'";
  if (run_in_shell(unshare + " sh -c \"" + mount + "\"", {}).status != 0) return std::nullopt;
  const std::string list = "echo \"left: $(ls -A '" + folder.string() + "')\"";
  const std::string inside = mount + "; \"$@\"; status=$?; " + list + "; exit $status";
  return run_in_shell("exec " + unshare + " sh -c \"$0\" sh \"$@\"", std::move(arguments), inside);
}

constexpr const char* kCoveredElsewhere =
    "this user may not mount a tmpfs; BadOutput.FileSizeLimit covers a failing write";

TEST(BadOutput, FullDisk) {
  const ScratchFolder folder;
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"convert", asset("demo.pth"), "-o", folder / "x"}, {"make-checkpoint", "-o", folder / "x"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--card", asset("demo.card.yaml")});
    const std::optional<Outcome> outcome = run_on_mount(folder.path(), "size=2m", arguments);
    if (!outcome) GTEST_SKIP() << kCoveredElsewhere;
    expect_refusal(*outcome, ErrorCode::kIo, {"cannot reserve", "No space left on device"});
    EXPECT_EQ(outcome->out, "left: \n");
  }
}

TEST(BadOutput, ReadOnlyFolder) {
  const ScratchFolder folder;
  const std::vector<std::string> arguments{"convert",    asset("demo.pth"), "-o",
                                           folder / "x", "--card",          asset("demo.card.yaml")};
  if (::geteuid() != 0) {
    std::filesystem::permissions(folder.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    expect_refusal(run_sealite(arguments), ErrorCode::kIo, {"cannot create", "Permission denied"});
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
    EXPECT_EQ(folder.entries(), 0);
    return;
  }
  // Permissions do not stop root; a read-only file system does.
  const std::optional<Outcome> outcome = run_on_mount(folder.path(), "ro", arguments);
  if (!outcome) GTEST_SKIP() << kCoveredElsewhere;
  expect_refusal(*outcome, ErrorCode::kIo, {"cannot create", "Read-only file system"});
  EXPECT_EQ(outcome->out, "left: \n");
}

}  // namespace
}  // namespace sealite

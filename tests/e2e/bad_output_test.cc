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

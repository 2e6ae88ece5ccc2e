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
  expect_success(convert_demo(path));
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

// Runs sealite where DIR is a small file system of its own, in a mount namespace that ends with the shell;
// the last line of stdout is what DIR holds afterwards. Needs root or user namespaces.
Outcome run_on_mount(const std::filesystem::path& folder, const std::string& options,
                     const std::vector<std::string>& arguments) {
  const std::string inner = "mount -t tmpfs -o " + options + " tmpfs '" + folder.string() + "' || exit 99; \"$@\"; " +
                            "status=$?; echo \"left: $(ls -A '" + folder.string() + "')\"; exit $status";
  return run_in_shell("inner=$0; for u in 'unshare -m' 'unshare -rm'; do $u true 2>/dev/null && exec $u sh -c '" +
                          std::string("eval \"$INNER\"") + "' sh \"$@\"; done; exit 99",
                      arguments);
}

}  // namespace
}  // namespace sealite

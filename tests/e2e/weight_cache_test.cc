#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "e2e/cached_model.h"

namespace sealite {
namespace {

TEST_F(WeightCache, TheSecondStartFindsWhatTheFirstMade) {
  expect_right("made");
  expect_tidy();
  expect_right("hit");
  expect_right("hit", answer(run_sealite(detect({"--threads", "2"}))));
  expect_right("off", answer(run_sealite(detect({"--no-cache"}))));
  expect_tidy();
  // The same content under another name.
  std::filesystem::copy_file(model(), folder_ / "copy.tflite");
  std::vector<std::string> copy = detect();
  copy[1] = folder_ / "copy.tflite";
  expect_right("hit", answer(run_sealite(copy)));
}

TEST_F(WeightCache, SmallModelsAreNotCached) {
  expect_success(convert_demo(folder_ / "demo.tflite"));
  const Outcome outcome = run_sealite({"detect", folder_ / "demo.tflite", asset("coffee.png"), "--json"});
  EXPECT_NE(outcome.out.find("\"cache\":\"off\""), std::string::npos) << outcome.out;
  EXPECT_FALSE(std::filesystem::exists(cache()));
}

// XNNPACK itself would take the cache of the same structure with other weights, and answer with those.
TEST_F(WeightCache, OtherWeightsAtTheSamePathGetTheirOwnAnswers) {
  make_model(1, folder_ / "other.tflite");
  std::vector<std::string> other = detect({"--no-cache"});
  other[1] = folder_ / "other.tflite";
  const Json other_right = answer(run_sealite(other)).logits;
  ASSERT_NE(other_right, right_);
  ASSERT_EQ(std::filesystem::file_size(folder_ / "other.tflite"), std::filesystem::file_size(model()));
  expect_right("made");
  expect_right("hit");

  struct stat before{};
  ASSERT_EQ(::stat(model().c_str(), &before), 0);
  {
    // Into the same file: the same inode, size and, put back, times.
    std::ofstream out(model(), std::ios::binary | std::ios::in);
    out << read_text(folder_ / "other.tflite");
  }
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, model().c_str(), times, 0), 0);
  struct stat after{};
  ASSERT_EQ(::stat(model().c_str(), &after), 0);
  ASSERT_EQ(before.st_ino, after.st_ino);
  ASSERT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  for (const char* use : {"made", "hit"}) {
    const Answer found = answer(run_sealite(detect()));
    EXPECT_EQ(found.cache, use);
    EXPECT_EQ(found.logits, other_right);
  }
}

TEST_F(WeightCache, DamagedFilesAreMadeAnew) {
  expect_right("made");
  const std::string sound = read_text(weights());
  const std::string cut = sound.substr(0, sound.size() / 2);
  std::string changed = sound;  // in the middle, where XNNPACK looks at nothing
  for (std::size_t i = changed.size() / 4; i < changed.size() / 2; ++i) changed[i] = '\x11';
  const std::string garbage(sound.size(), '\x5a');
  for (const std::string& damaged : {cut, changed, garbage, std::string()}) {
    SCOPED_TRACE(damaged.size());
    std::filesystem::permissions(weights(), std::filesystem::perms::owner_all);
    write_text(weights(), damaged);
    expect_right("made");
    EXPECT_TRUE(read_text(weights()) == sound);  // EXPECT_EQ would print, and align, 17 MB
    expect_right("hit");
    expect_tidy();
  }
}

// The note's stamp is another then: the content decides.
TEST_F(WeightCache, SoundFilesThatWereMovedAreUsed) {
  expect_right("made");
  std::filesystem::copy_file(weights(), folder_ / "copy");
  std::filesystem::rename(folder_ / "copy", weights());
  expect_right("hit");
}

TEST_F(WeightCache, MissingAndBrokenNotes) {
  expect_right("made");
  std::filesystem::remove(files(".sum")[0]);
  expect_right("made");
  write_text(files(".sum")[0], "nonsense");
  expect_right("made");
  write_text(files(".model")[0], "nonsense");
  expect_right("hit");
  std::filesystem::remove(weights());
  expect_right("made");
  expect_tidy();
}

TEST_F(WeightCache, LeftoversOfKilledProcessesGo) {
  std::filesystem::create_directory(cache());
  write_text(cache() / ".0123.weights.7.partial", "x");
  write_text(cache() / "0123.weights", "x");
  write_text(cache() / "4567.sum", "x");
  expect_right("made");
  expect_tidy();
}

TEST_F(WeightCache, ManyProcessesAtOnceWithAColdCache) {
  for (int round = 0; round < 3; ++round) {
    std::filesystem::remove_all(cache());
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 6; ++i) processes.push_back(std::make_unique<Process>(sealite_command(detect())));
    for (const auto& process : processes) EXPECT_EQ(answer(process->wait()).logits, right_);
    expect_tidy();
    expect_right("hit");
  }
}

// XNNPACK ends the process when it cannot write its file; a limit counts for files in memory too.
TEST_F(WeightCache, FileSizeLimit) {
  for (const char* limit : {"100", "1000", "20000"}) {
    SCOPED_TRACE(limit);
    const std::string script = std::string("ulimit -f ") + limit + R"(; "$@")";
    expect_right("off", answer(run_in_shell(script, detect())));
    EXPECT_TRUE(files(".weights").empty());
  }
  expect_right("made");
  expect_right("hit", answer(run_in_shell(R"(ulimit -f 1000; "$@")", detect())));
}

constexpr const char* kMayNotMount = "this user may not mount a tmpfs";

// `script` with $cache mounted anew as a tmpfs with those options, for it alone.
Outcome run_on_mount(const std::filesystem::path& folder, const std::string& options,
                     const std::string& script, std::vector<std::string> arguments) {
  const std::string unshare = ::geteuid() == 0 ? "unshare -m" : "unshare -rm";
  const std::string mount =
      "mount -t tmpfs -o mode=700," + options + " tmpfs '" + folder.string() + "' || exit 99; ";
  // In a chroot unshare may be refused as well.
  return run_in_shell(unshare + " true 2>/dev/null || exit 99; exec " + unshare + " sh -c \"$0\" sh \"$@\"",
                      std::move(arguments), mount + script);
}

TEST_F(WeightCache, FullDisk) {
  std::filesystem::create_directory(cache());
  // With no room for the weights, and with no room for anything.
  for (const char* fill : {"head -c 2000000 /dev/zero >\"$SEALITE_CACHE_DIR/fill\" 2>/dev/null; ", ""}) {
    const Outcome outcome =
        run_on_mount(cache(), "size=2m", fill + std::string(R"("$@"; ls -A "$SEALITE_CACHE_DIR")"), detect());
    if (outcome.status == 99) GTEST_SKIP() << kMayNotMount;
    expect_right("off", answer(outcome));
    EXPECT_EQ(outcome.out.find(".weights"), std::string::npos) << outcome.out;
  }
}

TEST_F(WeightCache, ReadOnlyFolder) {
  std::filesystem::create_directory(cache());
  if (::geteuid() != 0) {
    std::filesystem::permissions(cache(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    expect_right("off");
    std::filesystem::permissions(cache(), std::filesystem::perms::owner_all);
    return;
  }
  Outcome outcome = run_on_mount(cache(), "ro", R"("$@")", detect());
  if (outcome.status == 99) GTEST_SKIP() << kMayNotMount;
  expect_right("off", answer(outcome));
  // What is there already still serves.
  outcome = run_on_mount(cache(), "size=100m",
                         R"("$@" >/dev/null && mount -o remount,ro "$SEALITE_CACHE_DIR" && "$@")", detect());
  expect_right("hit", answer(outcome));
}

TEST_F(WeightCache, NoHomeAndHomesThatDoNotWork) {
  const std::string unset = "unset SEALITE_CACHE_DIR XDG_CACHE_HOME HOME; ";
  for (const char* home : {"", "export HOME=/proc; ", "export HOME=relative; ", "export HOME=/dev/null; ",
                           "export XDG_CACHE_HOME=relative; "}) {
    SCOPED_TRACE(home);
    expect_right("off", answer(run_in_shell(unset + home + R"("$@")", detect())));
  }
  const std::string home = "export HOME='" + folder_.path().string() + "'; ";
  expect_right("made", answer(run_in_shell(unset + home + R"("$@")", detect())));
  EXPECT_TRUE(std::filesystem::exists(folder_ / ".cache" / "sealite" / "lock"));
  const std::string xdg = home + "export XDG_CACHE_HOME=\"$HOME/xdg\"; ";
  expect_right("made", answer(run_in_shell(unset + xdg + R"("$@")", detect())));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "xdg" / "sealite" / "lock"));
}

// Who can write there could choose the answers.
TEST_F(WeightCache, FoldersThatOthersMayWriteToAreNotUsed) {
  expect_right("made");
  std::filesystem::permissions(cache(), std::filesystem::perms::all);
  expect_right("off");
}

TEST_F(WeightCache, TheSizeCapEvictsWhatWasUsedLongestAgo) {
  ::setenv("SEALITE_CACHE_SIZE", "40M", 1);  // two models
  std::vector<std::vector<std::string>> runs;
  for (int seed = 0; seed < 3; ++seed) {
    const auto path = folder_ / (std::to_string(seed) + ".tflite");
    make_model(seed, path);
    runs.push_back(detect());
    runs.back()[1] = path;
  }
  const auto use = [&](std::size_t i) { return answer(run_sealite(runs[i])).cache; };
  EXPECT_EQ(use(0), "made");
  EXPECT_EQ(use(1), "made");
  EXPECT_EQ(use(0), "hit");
  EXPECT_EQ(use(2), "made");  // in the place of 1
  EXPECT_EQ(files(".weights").size(), 2U);
  EXPECT_EQ(use(0), "hit");
  EXPECT_EQ(use(1), "made");  // in the place of 2
  EXPECT_EQ(use(0), "hit");
  ::setenv("SEALITE_CACHE_SIZE", "1M", 1);
  EXPECT_EQ(use(2), "off");
  EXPECT_EQ(use(0), "hit");
  ::setenv("SEALITE_CACHE_SIZE", "plenty", 1);
  expect_refusal(run_sealite(runs[0]), ErrorCode::kUsage, {"SEALITE_CACHE_SIZE", "plenty"});
}

}  // namespace
}  // namespace sealite

// Models of strangers, and models that somebody may still write to.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/file_descriptor.h"
#include "e2e/cached_model.h"
#include "xxh3_preimage.h"

namespace sealite {
namespace {

class SharedModel : public WeightCache {
 protected:
  Answer answer_of(const std::filesystem::path& path, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = detect(more);
    arguments[1] = path;
    return answer(run_sealite(arguments));
  }
  void let_others_write() const { std::filesystem::permissions(model(), std::filesystem::perms::all); }
};

// The weights' 1,024 bytes that begin at a multiple of 1,024 and, in the float32 model, are floats.
std::array<float, Xxh3Block::kFloats> read_block(const std::string& file, std::size_t at) {
  std::array<float, Xxh3Block::kFloats> floats{};
  std::memcpy(floats.data(), &file[at], 1024);
  return floats;
}

// The cache was once keyed by XXH3: who ran a stranger's model first, got its answers from the own one
// ("hit").
TEST_F(SharedModel, AForgedSecondPreimageGetsACacheOfItsOwn) {
  std::string bytes = read_text(model());
  const std::size_t at = bytes.size() / 2 / 1024 * 1024;
  auto floats = read_block(bytes, at);
  for (const float value : floats) ASSERT_LT(std::abs(value), 10);
  const Xxh3Block before(floats);
  Xxh3Block::forge(floats);
  ASSERT_EQ(Xxh3Block(floats).sums(), before.sums());
  std::memcpy(&bytes[at], floats.data(), 1024);
  write_text(folder_ / "strangers.tflite", bytes);
  const Answer strangers = answer_of(folder_ / "strangers.tflite", {"--no-cache"});
  ASSERT_NE(strangers.logits, right_);
  EXPECT_EQ(answer_of(folder_ / "strangers.tflite").cache, "made");
  expect_right("made");
  expect_right("hit");
  EXPECT_EQ(answer_of(folder_ / "strangers.tflite").logits, strangers.logits);
}

// A file's times do not tell what a program writes that has it mapped already.
TEST_F(SharedModel, WhatAnOpenMappingWritesIsSeen) {
  const std::size_t size = std::filesystem::file_size(model());
  const std::size_t at = size / 2 / sizeof(float) * sizeof(float);
  FileDescriptor file(::open(model().c_str(), O_RDWR | O_CLOEXEC));
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(address, MAP_FAILED);
  file = FileDescriptor();  // the mapping alone
  float* weights = reinterpret_cast<float*>(static_cast<std::byte*>(address) + at);
  *weights += 1;
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // so that the file is no young one
  const Answer first = answer(run_sealite(detect()));
  EXPECT_EQ(first.cache, "made");
  EXPECT_EQ(answer(run_sealite(detect())).cache, "hit");
  for (int i = 0; i < 64; ++i) weights[i] += 5;  // the page was written to before
  const Json changed = answer(run_sealite(detect({"--no-cache"}))).logits;
  ASSERT_NE(changed, first.logits);
  EXPECT_EQ(answer(run_sealite(detect())).logits, changed);
  for (int i = 0; i < 64; ++i) weights[i] -= 3;
  ::munmap(address, size);
  EXPECT_EQ(answer(run_sealite(detect())).logits, answer(run_sealite(detect({"--no-cache"}))).logits);
}

// What others may write to is read into memory, and hashed at every start.
TEST_F(SharedModel, OthersMayWriteToIt) {
  let_others_write();
  for (const char* use : {"made", "hit", "hit"}) expect_right(use);
  EXPECT_TRUE(files(".model").empty()) << "its stamp says nothing";
#if !defined(__SANITIZE_ADDRESS__)  // whose own memory the limit counts
  const Outcome outcome = run_sealite(detect({"--max-memory", "12M"}));
  EXPECT_EQ(outcome.status, static_cast<int>(ErrorCode::kNoMemory)) << outcome.err;
  EXPECT_NE(outcome.err.find("others may write to it"), std::string::npos) << outcome.err;
#endif
  std::filesystem::permissions(model(), std::filesystem::perms::owner_read);
  expect_right("hit");
  expect_right("hit");
}

// How often the one watched file was opened.
int openings(const FileDescriptor& watch) {
  std::array<inotify_event, 256> events{};  // of a file, not a folder: without a name
  const ssize_t got = ::read(watch.get(), events.data(), sizeof events);
  int count = 0;
  for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof(inotify_event); ++i)
    count += (events[i].mask & IN_OPEN) != 0 ? 1 : 0;
  return count;
}

// Between two openings the name could become another file's: what is checked must be what runs.
TEST_F(SharedModel, IsOpenedOnce) {
  const std::string demo = folder_ / "demo.tflite";
  const std::string embedder = folder_ / "embedder.tflite";
  expect_success(convert_demo(demo));
  expect_success(convert_demo(embedder, {"--part", "embedder"}));
  const std::string card = asset("demo.card.yaml");
  const std::vector<std::vector<std::string>> commands = {
      {"detect", demo, asset("coffee.png")},
      {"embed", embedder, asset("coffee.png"), "-o", folder_ / "marked.png", "--message", kDemoMessage},
      {"verify", demo, "--checkpoint", asset("demo.pth"), "--card", card},
      {"bench", demo, "--runs", "5"}};
  for (const auto& command : commands) {
    SCOPED_TRACE(command[0]);
    const FileDescriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ASSERT_GE(::inotify_add_watch(watch.get(), command[1].c_str(), IN_OPEN | IN_CLOSE), 0);
    const Outcome outcome = run_sealite(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(openings(watch), 1);
  }
}

// A folder of this user's own that another one chose, by a link: here the link is its own, in the place of
// one.
TEST_F(SharedModel, ACacheThatALinkOfAnothersNamesIsNotUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make another user's link";
  std::filesystem::create_directory(folder_ / "elsewhere");
  std::filesystem::permissions(folder_ / "elsewhere", std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(folder_ / "elsewhere", cache());
  expect_right("made");  // a link of one's own is no matter
  ASSERT_EQ(::lchown(cache().c_str(), 12345, 12345), 0);
  expect_right("off");
}

}  // namespace
}  // namespace sealite

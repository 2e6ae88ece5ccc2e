#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/scratch_folder.h"

namespace sealite {
namespace {

// Runs `body`, expects an Error, and returns it as "code: message".
template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return fmt::format("{}: {}", error_code_name(error.code()), error.what());
  }
  return "no error";
}

#define EXPECT_STARTS_WITH(text, start) \
  EXPECT_EQ(std::string(text).substr(0, std::string(start).size()), start)

// Makes writing past `limit` bytes of any file fail, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit now{.rlim_cur = limit, .rlim_max = old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(AtomicFileTest, AppearsOnlyOnCommit) {
  const ScratchFolder folder;
  AtomicFile file(folder / "out");
  file.write(0, as_bytes("hello"));
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  file.commit();
  EXPECT_EQ(read_text(folder / "out"), "hello");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFileTest, LeavesNothingWithoutCommit) {
  const ScratchFolder folder;
  {
    AtomicFile(folder / "out").write(0, as_bytes("hello"));
  }
  EXPECT_EQ(folder.entries(), 0);
}

TEST(AtomicFileTest, AnAbandonedFileKeepsTheOldOne) {
  const ScratchFolder folder;
  write_text(folder / "out", "old");
  {
    AtomicFile(folder / "out").write(0, as_bytes("new"));
  }
  EXPECT_EQ(read_text(folder / "out"), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFileTest, CommitReplacesAnOldFile) {
  const ScratchFolder folder;
  write_text(folder / "out", "a longer old text");
  AtomicFile file(folder / "out");
  file.write(0, as_bytes("new"));
  file.commit(true);
  EXPECT_EQ(read_text(folder / "out"), "new");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFileTest, AStagedFileHasNotItsNameYet) {
  const ScratchFolder folder;
  write_text(folder / "out", "old");
  {
    AtomicFile file(folder / "out");
    file.write(0, as_bytes("lost"));
    file.stage();
    EXPECT_EQ(read_text(folder / "out"), "old");
  }
  EXPECT_EQ(folder.entries(), 1);
  AtomicFile file(folder / "out");
  file.write(0, as_bytes("new"));
  file.stage(true);
  file.commit();
  EXPECT_EQ(read_text(folder / "out"), "new");
  EXPECT_EQ(folder.entries(), 1);
}

// Also what a killed process with our number left, or somebody put there for us to follow.
TEST(AtomicFileTest, WhatLiesUnderTheTemporaryNameIsReplaced) {
  const ScratchFolder folder;
  write_text(folder / "victim", "untouched");
  std::filesystem::create_symlink(folder / "victim", folder / fmt::format(".out.{}.partial", ::getpid()));
  AtomicFile file(folder / "out");
  file.write(0, as_bytes("new"));
  file.commit();
  EXPECT_EQ(read_text(folder / "out"), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "out"));
  EXPECT_EQ(read_text(folder / "victim"), "untouched");
  EXPECT_EQ(folder.entries(), 2);
}

TEST(AtomicFileTest, HasTheModeOfAnyNewFile) {
  const ScratchFolder folder;
  const mode_t old = ::umask(027);
  AtomicFile file(folder / "out");
  file.commit();
  ::umask(old);
  struct stat info{};
  ASSERT_EQ(::stat((folder / "out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST(AtomicFileTest, ReadsBackAndKnowsWhatIsMissing) {
  const ScratchFolder folder;
  AtomicFile file(folder / "out");
  file.write(3, as_bytes("abc"));
  std::array<std::byte, 3> bytes{};
  file.read(3, bytes);
  EXPECT_EQ(as_text(bytes), "abc");
  EXPECT_STARTS_WITH(error_of([&] { file.read(4, bytes); }), "io: cannot read back '");
}

TEST(AtomicFileTest, TakesWritesFromSeveralThreads) {
  const ScratchFolder folder;
  constexpr std::size_t kBlock = 4096;
  AtomicFile file(folder / "out");
  file.reserve(8 * kBlock);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&file, i] {
      const std::string text(kBlock, static_cast<char>('a' + i));
      file.write(i * kBlock, as_bytes(text));
    });
  }
  for (std::thread& thread : threads) thread.join();
  file.commit();
  const std::string text = read_text(folder / "out");
  ASSERT_EQ(text.size(), 8 * kBlock);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(text.substr(i * kBlock, kBlock), std::string(kBlock, static_cast<char>('a' + i)));
  }
}

TEST(AtomicFileTest, AFullDiskIsKnownBeforeTheWork) {
  const ScratchFolder folder;
  std::string error;
  {
    AtomicFile file(folder / "out");
    const FileSizeLimit limit(1U << 20U);
    error = error_of([&] { file.reserve(std::uint64_t{1} << 30U); });
  }
  EXPECT_STARTS_WITH(error, "io: cannot reserve 1073741824 bytes for '");
  EXPECT_EQ(folder.entries(), 0);
}

TEST(AtomicFileTest, AFullDiskWhileWriting) {
  const ScratchFolder folder;
  const std::string text(3U << 20U, 'x');
  std::string error;
  {
    AtomicFile file(folder / "out");
    const FileSizeLimit limit(1U << 20U);
    error = error_of([&] { file.write(0, as_bytes(text)); });
  }
  EXPECT_STARTS_WITH(error, "io: cannot write '");
  EXPECT_EQ(folder.entries(), 0);
}

TEST(AtomicFileTest, RefusesFoldersAndMissingFolders) {
  const ScratchFolder folder;
  EXPECT_STARTS_WITH(error_of([&] { AtomicFile file(folder.path()); }), "usage: '");
  EXPECT_STARTS_WITH(error_of([&] { AtomicFile file(folder / "name/"); }), "usage: '");
  EXPECT_STARTS_WITH(error_of([&] { AtomicFile file(folder / "missing/out"); }), "io: cannot create '");
}

TEST(AtomicFileTest, AcceptsABareNameInTheWorkingFolder) {
  const ScratchFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  {
    AtomicFile file("out");
    file.write(0, as_bytes("here"));
    file.commit();
  }
  std::filesystem::current_path(before);
  EXPECT_EQ(read_text(folder / "out"), "here");
}

TEST(MappedFileTest, ShowsTheBytes) {
  const ScratchFolder folder;
  write_text(folder / "in", "some bytes");
  const MappedFile file(folder / "in");
  EXPECT_EQ(as_text(file.bytes()), "some bytes");
  EXPECT_EQ(file.size(), 10U);
  EXPECT_EQ(file.path(), folder / "in");
}

TEST(MappedFileTest, AnEmptyFileIsAnEmptyView) {
  const ScratchFolder folder;
  write_text(folder / "in", "");
  EXPECT_EQ(MappedFile(folder / "in").size(), 0U);
}

TEST(MappedFileTest, Errors) {
  const ScratchFolder folder;
  EXPECT_STARTS_WITH(error_of([&] { MappedFile file(folder / "missing"); }), "not_found: cannot open '");
  EXPECT_STARTS_WITH(error_of([&] { MappedFile file(folder.path()); }), "not_found: '");
  EXPECT_STARTS_WITH(error_of([] { MappedFile file("/dev/null"); }),
                     "not_found: '/dev/null' is not a regular");
}

TEST(MappedFileTest, MovesItsMapping) {
  const ScratchFolder folder;
  write_text(folder / "a", "first");
  write_text(folder / "b", "second");
  MappedFile a(folder / "a");
  MappedFile moved(std::move(a));
  EXPECT_EQ(as_text(moved.bytes()), "first");
  moved = MappedFile(folder / "b");
  EXPECT_EQ(as_text(moved.bytes()), "second");
}

TEST(MappedFileTest, ReleasedPagesReadTheSame) {
  const ScratchFolder folder;
  std::string text(100'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 % 127);
  write_text(folder / "in", text);
  const MappedFile file(folder / "in");
  prefetch_pages(file.bytes().subspan(5, 60'000));
  release_pages(file.bytes().subspan(5, 90'000));
  release_pages(file.bytes().subspan(5, 10));
  release_pages({});
  EXPECT_EQ(as_text(file.bytes()), text);
}

}  // namespace
}  // namespace sealite

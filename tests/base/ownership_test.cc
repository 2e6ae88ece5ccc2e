#include "base/ownership.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "base/file_stamp.h"
#include "base/mapped_file.h"
#include "base/scratch_folder.h"

namespace sealite {
namespace {

using std::filesystem::perms;

struct stat info_of(const std::filesystem::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info;
}

TEST(Ownership, OthersMayWrite) {
  const ScratchFolder folder;
  write_text(folder / "file", "x");
  const auto with = [&](perms mode) {
    std::filesystem::permissions(folder / "file", mode);
    return others_may_write(info_of(folder / "file"));
  };
  EXPECT_FALSE(with(perms::owner_read | perms::group_read | perms::others_read));
  EXPECT_FALSE(with(perms::owner_all));
  EXPECT_TRUE(with(perms::owner_all | perms::others_write));
  struct stat strangers = info_of("/");
  strangers.st_uid = ::geteuid() + 7;
  EXPECT_TRUE(others_may_write(strangers)) << "who owns it may write to it whatever its mode";
  struct stat shared = info_of("/");
  shared.st_mode = S_IFREG | 0664;
  shared.st_gid = 54321;  // nobody's own group
  EXPECT_TRUE(others_may_write(shared));
  if (::geteuid() == 0) {
    shared.st_gid = 0;
    EXPECT_FALSE(others_may_write(shared)) << "root's own group";
  }
}

TEST(Ownership, OpenForWriting) {
  const ScratchFolder folder;
  write_text(folder / "file", std::string(5000, 'x'));
  const FileDescriptor file(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC));
  const auto writers = is_open_for_writing(file.get());
  if (!writers) GTEST_SKIP() << "the temporary folder's file system gives no leases";
  EXPECT_EQ(writers, false);
  FileDescriptor writer(::open((folder / "file").c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(is_open_for_writing(file.get()), true);
  if (!stamps_show_mapped_writes(file.get())) GTEST_SKIP() << "nor does it tell of mappings";
  void* mapped = ::mmap(nullptr, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  writer = FileDescriptor();
  EXPECT_EQ(is_open_for_writing(file.get()), true);
  ::munmap(mapped, 5000);
  EXPECT_EQ(is_open_for_writing(file.get()), false);
}

TEST(Ownership, OthersMayChoose) {
  const ScratchFolder folder;
  std::filesystem::create_directories(folder / "base/lib/deep");
  write_text(folder / "base/lib/deep/file", "x");
  const auto may = [&] { return others_may_choose(folder / "base", "lib/deep/file"); };
  EXPECT_FALSE(may());
  EXPECT_TRUE(others_may_choose(folder / "base", "lib/deep/none"));
  EXPECT_TRUE(others_may_choose(folder / "none", "lib/deep/file"));
  for (const char* place : {"base", "base/lib", "base/lib/deep", "base/lib/deep/file"}) {
    std::filesystem::permissions(folder / place, perms::all);
    EXPECT_TRUE(may()) << place;
    std::filesystem::permissions(folder / place, perms::owner_all);
    EXPECT_FALSE(may()) << place;
  }
  // As in /tmp: others may put theirs beside it, and that would be theirs.
  std::filesystem::permissions(folder / "base", perms::all | perms::sticky_bit);
  EXPECT_FALSE(may());
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((folder / "base/lib").c_str(), 12345, 12345), 0);
    EXPECT_TRUE(may());
    ASSERT_EQ(::chown((folder / "base/lib").c_str(), 0, 0), 0);
  }
  // A link, and where it leads.
  std::filesystem::create_directory(folder / "open");
  write_text(folder / "open/file", "x");
  std::filesystem::permissions(folder / "open", perms::all);
  std::filesystem::create_symlink(folder / "open/file", folder / "base/link");
  EXPECT_TRUE(others_may_choose(folder / "base", "link"));
}

TEST(SettledFile, IsMappedWhereNobodyElseMayWrite) {
  const ScratchFolder folder;
  write_text(folder / "file", "some bytes");
  const MappedFile file = MappedFile::settled(folder / "file");
  EXPECT_FALSE(file.copied());
  EXPECT_EQ(as_text(file.bytes()), "some bytes");
  EXPECT_EQ(file.path(), folder / "file");
  EXPECT_FALSE(MappedFile(folder / "file").stamp_is_sure());
}

TEST(SettledFile, IsACopyWhereOthersMayWrite) {
  const ScratchFolder folder;
  const std::string text(3 * 65536 + 5, 'a');
  write_text(folder / "file", text);
  std::filesystem::permissions(folder / "file", perms::all);
  const MappedFile file = MappedFile::settled(folder / "file");
  EXPECT_TRUE(file.copied());
  EXPECT_FALSE(file.stamp_is_sure());
  std::fstream(folder / "file", std::ios::binary | std::ios::in | std::ios::out) << "others";
  std::filesystem::resize_file(folder / "file", 3);
  prefetch_pages(file.bytes());
  release_pages(file.bytes());
  EXPECT_EQ(as_text(file.bytes()), text);
  write_text(folder / "empty", "");
  std::filesystem::permissions(folder / "empty", perms::all);
  EXPECT_EQ(MappedFile::settled(folder / "empty").size(), 0U);
}

TEST(SettledFile, IsACopyWhileSomebodyHasItOpenForWriting) {
  const ScratchFolder folder;
  write_text(folder / "file", "some bytes");
  const FileDescriptor writer(::open((folder / "file").c_str(), O_RDWR | O_CLOEXEC));
  if (!is_open_for_writing(FileDescriptor(::open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC)).get()))
    GTEST_SKIP() << "the temporary folder's file system gives no leases";
  const MappedFile file = MappedFile::settled(folder / "file");
  EXPECT_TRUE(file.copied());
  EXPECT_EQ(::pwrite(writer.get(), "other", 5, 0), 5);
  EXPECT_EQ(as_text(file.bytes()), "some bytes");
}

}  // namespace
}  // namespace sealite

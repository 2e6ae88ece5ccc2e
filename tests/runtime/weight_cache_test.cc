#include "runtime/weight_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): SIGXFSZ is POSIX
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/scratch_folder.h"
#include "litert_library.h"
#include "runtime/content_hash.h"
#include "runtime/litert_api.h"
#include "runtime/machine_identity.h"

namespace sealite::runtime {
namespace {

using std::chrono::seconds;

class WeightCacheFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy_file(SEALITE_SOURCE_DIR "/tests/runtime/data/dynamic.tflite", model());
  }
  std::filesystem::path model() const { return folder_ / "model.tflite"; }
  std::filesystem::path cache() const { return folder_ / "cache"; }
  RunOptions options() const {
    RunOptions options;
    options.library = litert_library();
    options.cache_folder = cache();
    options.smallest_cached = 0;
    return options;
  }
  CacheFolder located() const {
    auto located = CacheFolder::locate(cache());
    EXPECT_TRUE(located);
    return std::move(*located);
  }
  std::size_t count(const std::string& extension) const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(cache()))
      found += entry.path().extension() == extension ? 1U : 0U;
    return found;
  }
  WeightCacheUse run() const { return run(options()); }
  WeightCacheUse run(const RunOptions& options) const {
    CompiledModel compiled(model(), "serve", options);
    for (const std::int64_t batch : {1, 2, 1}) {
      compiled.resize_input(0, {batch, 2, 3});
      std::vector<float> values;
      std::vector<float> expected;
      for (std::int64_t i = 0; i < batch; ++i) {
        values.insert(values.end(), {1, 2, 3, 4, 5, 6});
        expected.insert(expected.end(), {321.5F, -19, 654.5F, -46});
      }
      compiled.write_input(0, values);
      compiled.run();
      EXPECT_EQ(compiled.read_output(0), expected);
    }
    return compiled.cache_use();
  }

  ScratchFolder folder_;
};

// A file in memory with so many bytes.
FileDescriptor packed(std::size_t size) {
  FileDescriptor file(::memfd_create("packed", MFD_CLOEXEC));
  const std::string bytes(size, 'w');
  EXPECT_EQ(::write(file.get(), bytes.data(), size), static_cast<ssize_t>(size));
  return file;
}

TEST_F(WeightCacheFolder, HitsGiveTheSameAtEverySize) {
  EXPECT_EQ(run(), WeightCacheUse::kMade);
  EXPECT_EQ(run(), WeightCacheUse::kHit);
  EXPECT_EQ(run(), WeightCacheUse::kHit);
}

// XNNPACK would pack its convolutions once more, beside the mapped ones, at every start.
TEST_F(WeightCacheFolder, TablesPerRunHaveWeightsOfTheirOwn) {
  RunOptions per_run = options();
  per_run.tables_per_run = true;
  EXPECT_EQ(run(), WeightCacheUse::kMade);
  EXPECT_EQ(run(per_run), WeightCacheUse::kMade);
  EXPECT_EQ(run(per_run), WeightCacheUse::kHit);
  EXPECT_EQ(run(), WeightCacheUse::kHit);
}

TEST_F(WeightCacheFolder, WhileAnotherProcessWritesNothingIsStored) {
  located();
  const FileDescriptor lock(::open((cache() / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  EXPECT_EQ(run(), WeightCacheUse::kOff);
  EXPECT_EQ(count(".weights"), 0U);
  ASSERT_EQ(::flock(lock.get(), LOCK_UN), 0);
  EXPECT_EQ(run(), WeightCacheUse::kMade);
}

TEST_F(WeightCacheFolder, AModelThatChangesWhileItIsCompiledIsNotStored) {
  const MappedFile file = MappedFile::settled(model());
  const RunOptions wanted = options();
  WeightCache cache(wanted, file,
                    reinterpret_cast<const void*>(LiteRtApi::load(wanted.library)->create_environment));
  ASSERT_FALSE(cache.path().empty());
  write_text(cache.path(), "packed");
  std::ofstream(model(), std::ios::binary | std::ios::in | std::ios::ate) << "more";
  EXPECT_FALSE(cache.store(file));
  EXPECT_EQ(cache.use(), WeightCacheUse::kOff);
  EXPECT_EQ(count(".weights"), 0U);
}

TEST_F(WeightCacheFolder, AWriteThatFailsLeavesNothing) {
  const CacheFolder folder = located();
  const FileDescriptor weights = packed(std::size_t{8} << 20U);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = ::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t room : {5U << 20U, 0U}) {
    const rlimit limit{room, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_FALSE(folder.store("key", weights.get()));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(cache()), {}), 1) << "only the lock";
  }
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(folder.store("key", weights.get()));
  EXPECT_TRUE(folder.find("key"));
  EXPECT_FALSE(folder.find("other"));
}

TEST_F(WeightCacheFolder, AModelsHashIsBelievedOnlyWhereItSurelyHolds) {
  const CacheFolder folder = located();
  const std::string hash(64, 'a');
  const auto stamp = [&] { return MappedFile(model()).stamp(); };
  folder.remember(stamp(), hash);
  EXPECT_FALSE(folder.recall(stamp())) << "the file is younger than two seconds";
  std::filesystem::path note;
  for (const auto& entry : std::filesystem::directory_iterator(cache())) note = entry.path();
  std::filesystem::last_write_time(note, std::filesystem::file_time_type::clock::now() + seconds(10));
  EXPECT_EQ(folder.recall(stamp()), hash);

  const auto time = std::filesystem::last_write_time(model());
  std::fstream(model(), std::ios::binary | std::ios::in | std::ios::out).put('x');
  std::filesystem::last_write_time(model(), time);
  EXPECT_FALSE(folder.recall(stamp()));

  // After the machine has started again, nobody knows.
  folder.remember(stamp(), hash);
  std::string text = read_text(note);
  const auto boot = text.find('\n') + 1;
  text[boot] = text[boot] == '0' ? '1' : '0';
  write_text(note, text);
  std::filesystem::last_write_time(note, std::filesystem::file_time_type::clock::now() + seconds(10));
  EXPECT_FALSE(folder.recall(stamp()));
}

TEST(ContentHash, IsTheDigestOfTheFile) {
  const ScratchFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, PieceDigest::kPieceBytes,
                                 PieceDigest::kPieceBytes + 1, 3 * PieceDigest::kPieceBytes}) {
    const std::string text(size, '\7');
    write_text(folder / "file", text);
    const std::string hash = content_hash(MappedFile(folder / "file"));
    EXPECT_EQ(hash, to_hex(digest_of(as_bytes(text)))) << size;
    EXPECT_EQ(hash, text_hash(text));
  }
}

// The .weights file is hashed while it is copied, and must be the same to who maps it.
TEST_F(WeightCacheFolder, WhatWasStoredIsWholeAlsoWithAnotherStamp) {
  const CacheFolder folder = located();
  ASSERT_TRUE(folder.store("key", packed(3 * PieceDigest::kPieceBytes + 5).get()));
  std::filesystem::copy_file(cache() / "key.weights", folder_ / "copy");
  std::filesystem::rename(folder_ / "copy", cache() / "key.weights");
  EXPECT_TRUE(folder.find("key"));
  std::filesystem::permissions(cache() / "key.weights", std::filesystem::perms::owner_all);
  std::fstream(cache() / "key.weights", std::ios::binary | std::ios::in | std::ios::out).put('x');
  EXPECT_FALSE(folder.find("key"));
}

// The name may be another folder's by the time that it is used.
TEST_F(WeightCacheFolder, StaysTheFolderThatWasChecked) {
  const CacheFolder folder = located();
  std::filesystem::rename(cache(), folder_ / "moved");
  std::filesystem::create_directory(cache());
  EXPECT_TRUE(folder.store("key", packed(1000).get()));
  EXPECT_EQ(count(".weights"), 0U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "moved" / "key.weights"));
}

TEST_F(WeightCacheFolder, AModelThatOthersMayWriteToIsRunFromACopy) {
  std::filesystem::permissions(model(), std::filesystem::perms::all);
  EXPECT_EQ(run(), WeightCacheUse::kMade);
  EXPECT_EQ(run(), WeightCacheUse::kHit);
  EXPECT_EQ(count(".model"), 0U) << "of its content nothing may be remembered";
}

TEST(MachineIdentity, IsThatOfAllProcessorsAndOfOneLibrary) {
  const std::string identity = processor_identity();
  EXPECT_FALSE(identity.empty());
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(i, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(processor_identity(), identity) << "processor " << i;
  }
  ::sched_setaffinity(0, sizeof before, &before);

  const auto api = LiteRtApi::load(litert_library());
  const std::string library = library_identity(reinterpret_cast<const void*>(api->create_environment));
  EXPECT_GE(library.size(), 64U);
  EXPECT_EQ(library_identity(reinterpret_cast<const void*>(api->create_compiled_model)), library);
  EXPECT_NE(library_identity(reinterpret_cast<const void*>(&::getpid)), library);
  EXPECT_EQ(library_identity(nullptr), "");
}

}  // namespace
}  // namespace sealite::runtime

#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/context.h"
#include "base/error.h"

namespace sealite {
namespace {

TEST(ParallelForTest, CallsEveryIndexOnce) {
  std::vector<std::atomic<int>> calls(10'000);
  parallel_for(calls.size(), [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) ASSERT_EQ(count, 1);
}

TEST(ParallelForTest, NothingToDo) {
  parallel_for(0, [](std::size_t) { FAIL(); });
  EXPECT_GE(worker_count(), 1U);
}

TEST(ParallelForTest, RethrowsTheErrorAndStopsTheRest) {
  std::atomic<std::size_t> calls{0};
  constexpr std::size_t kCount = 1'000'000;
  try {
    parallel_for(kCount, [&](std::size_t i) {
      ++calls;
      if (i == 10) fail(ErrorCode::kMalformed, "block {} is broken", i);
    });
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMalformed);
    EXPECT_STREQ(error.what(), "block 10 is broken");
  }
  EXPECT_LT(calls, kCount);
}

TEST(ParallelForTest, SurvivesAnExceptionFromEveryCall) {
  EXPECT_THROW(parallel_for(1000, [](std::size_t) { throw std::runtime_error("each"); }), std::runtime_error);
  std::atomic<int> calls{0};
  parallel_for(100, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 100);
}

// How many items another thread than the caller's did.
int items_of_strangers() {
  std::atomic<int> count{0};
  const std::thread::id here = std::this_thread::get_id();
  parallel_for(64, [&](std::size_t) {
    if (std::this_thread::get_id() != here) ++count;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  return count;
}

TEST(ParallelForTest, UsesTheThreadsOfItsContext) {
  EXPECT_EQ(items_of_strangers(), 0) << "without a context";
  Context four;
  four.threads = 4;
  const InContext scope(four);
  EXPECT_GT(items_of_strangers(), 0);
  {
    const Context one;
    const InContext inner(one);
    EXPECT_EQ(items_of_strangers(), 0);
    int elsewhere = 1;
    std::thread([&] { elsewhere = items_of_strangers(); }).join();
    EXPECT_EQ(elsewhere, 0) << "a context is of its own thread only";
  }
  EXPECT_GT(items_of_strangers(), 0);
}

TEST(ParallelForTest, ItsThreadsHaveTheContextToo) {
  Context four;
  four.threads = 4;
  const InContext scope(four);
  std::atomic<int> wrong{0};
  parallel_for(64, [&](std::size_t) {
    if (&current_context() != &four) ++wrong;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_EQ(wrong, 0);
}

TEST(ParallelForTest, MayBeNested) {
  std::atomic<int> calls{0};
  parallel_for(8, [&](std::size_t) { parallel_for(8, [&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 64);
}

TEST(Cancellation, StopsALoop) {
  std::atomic<bool> wanted{false};
  Context context;
  context.threads = 4;
  context.cancelled = [&] { return wanted.load(); };
  const InContext scope(context);
  std::atomic<std::size_t> calls{0};
  constexpr std::size_t kCount = 1'000'000;
  try {
    parallel_for(kCount, [&](std::size_t i) {
      ++calls;
      if (i == 5) wanted = true;
    });
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_LT(calls, kCount);
}

TEST(Cancellation, NobodyCancelsWithoutAContext) {
  EXPECT_NO_THROW(check_cancelled());
}

}  // namespace
}  // namespace sealite

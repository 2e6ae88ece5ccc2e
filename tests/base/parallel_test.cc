#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"

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

TEST(ParallelForTest, OneThreadKeepsToItself) {
  set_worker_count(4);
  const auto strangers = [] {
    std::atomic<int> count{0};
    const std::thread::id here = std::this_thread::get_id();
    parallel_for(64, [&](std::size_t) {
      if (std::this_thread::get_id() != here) ++count;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    return count.load();
  };
  {
    const OneThread one;
    EXPECT_EQ(strangers(), 0);
    int elsewhere = 0;
    std::thread([&] { elsewhere = strangers(); }).join();
    EXPECT_GT(elsewhere, 0) << "it is about its own thread only";
  }
  EXPECT_GT(strangers(), 0);
  set_worker_count(0);
}

TEST(ParallelForTest, MayBeNested) {
  std::atomic<int> calls{0};
  parallel_for(8, [&](std::size_t) { parallel_for(8, [&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 64);
}

// The flag stays set, so each of these happens in a process of its own.
[[noreturn]] void interrupt_a_loop(int signal) {
  catch_interrupts();
  try {
    parallel_for(1'000'000, [&](std::size_t i) {
      if (i == 5) (void)std::raise(signal);
    });
  } catch (const Error& error) {
    std::_Exit(static_cast<int>(error.code()));
  }
  std::_Exit(0);
}

TEST(InterruptDeathTest, StopsALoop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(interrupt_a_loop(SIGINT), testing::ExitedWithCode(130), "");
  EXPECT_EXIT(interrupt_a_loop(SIGTERM), testing::ExitedWithCode(130), "");
}

TEST(InterruptDeathTest, ASecondSignalEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto twice = [] {
    catch_interrupts();
    (void)std::raise(SIGINT);
    (void)std::raise(SIGINT);
  };
  EXPECT_EXIT(twice(), testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptTest, NothingHappensWithoutASignal) {
  EXPECT_NO_THROW(check_interrupt());
}

}  // namespace
}  // namespace sealite

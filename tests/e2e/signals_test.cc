#include "cli/interrupt.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace sealite::cli {
namespace {

void wait_until_interrupted() {
  while (!interrupted()) {
  }
}

// As a library's long call does that knows nothing of the time: takes memory from then on, up to `bytes`.
[[noreturn]] void take_memory_when_time_is_up(std::size_t bytes) {
  end_after(0.05, "time is up");
  wait_until_interrupted();
  constexpr std::size_t kBlock = std::size_t{16} << 20U;
  for (std::size_t taken = 0; taken < bytes; taken += kBlock) {
    auto* const block = static_cast<volatile char*>(std::malloc(kBlock));
    for (std::size_t i = 0; block != nullptr && i < kBlock; i += 4096) block[i] = 1;
  }
  for (;;) ::pause();
}

// What counts is how much it took, so that a slow machine changes nothing.
TEST(Signals, WhatTakesMemoryAfterItsTimeEndsSoon) {
  const pid_t child = ::fork();
  if (child == 0) take_memory_when_time_is_up(std::size_t{8} << 30U);
  int status = 0;
  rusage usage{};
  ASSERT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ErrorCode::kTimeout));
  EXPECT_LT(usage.ru_maxrss, 448L << 10U) << "KiB";
}

// A signal that came before must not make the process deaf to the clock.
[[noreturn]] void stay_in_a_long_call() {
  catch_interrupts();
  std::raise(SIGTERM);
  end_after(0.05, "time is up");
  for (;;) ::pause();
}

TEST(Signals, ASecondOneEndsTheProcess) {
  const auto twice = [] {
    catch_interrupts();
    (void)std::raise(SIGINT);
    (void)std::raise(SIGINT);
  };
  EXPECT_EXIT(twice(), testing::KilledBySignal(SIGINT), "");
}

TEST(Signals, TimeIsUpAlsoAfterASignal) {
  EXPECT_EXIT(stay_in_a_long_call(), testing::ExitedWithCode(75), "sealite: error: time is up");
}

}  // namespace
}  // namespace sealite::cli

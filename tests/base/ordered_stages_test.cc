#include "base/ordered_stages.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sealite {
namespace {

OrderedStages nothing() {
  const auto none = [](std::size_t, std::size_t) {};
  return {none, none, none};
}

TEST(OrderedStages, EveryItemGoesThroughAllStagesInOrder) {
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    for (const std::size_t count : {0U, 1U, 2U, 5U, 200U}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(count));
      std::vector<std::string> places(stage_places(threads));
      std::size_t run =
          0;  // plain numbers: one thread at a time is promised, and that it sees the last one's
      std::size_t given = 0;
      std::atomic<std::size_t> on_their_way{0};
      OrderedStages stages;
      stages.prepare = [&](std::size_t item, std::size_t place) {
        EXPECT_LE(++on_their_way, places.size());
        if (item % 7 == 0) std::this_thread::yield();
        places[place] = "item " + std::to_string(item);
      };
      stages.run = [&](std::size_t item, std::size_t place) {
        EXPECT_EQ(item, run++);
        places[place] += ", run";
      };
      stages.give = [&](std::size_t item, std::size_t place) {
        EXPECT_EQ(item, given++);
        EXPECT_EQ(places[place], "item " + std::to_string(item) + ", run");
        --on_their_way;
      };
      run_ordered(count, threads, stages);
      EXPECT_EQ(run, count);
      EXPECT_EQ(given, count);
    }
  }
}

TEST(OrderedStages, PreparesWhileOneRuns) {
  std::atomic<std::size_t> prepared{0};
  OrderedStages stages = nothing();
  stages.prepare = [&](std::size_t, std::size_t) { ++prepared; };
  stages.run = [&](std::size_t item, std::size_t) {
    if (item != 0) return;
    while (prepared < 3) std::this_thread::yield();  // else for ever
  };
  run_ordered(5, 3, stages);
  EXPECT_EQ(prepared, 5U);
}

TEST(OrderedStages, TheFirstExceptionEndsIt) {
  for (OrderedStages::Stage OrderedStages::* const stage :
       {&OrderedStages::prepare, &OrderedStages::run, &OrderedStages::give}) {
    for (const std::size_t threads : {1U, 4U}) {
      std::atomic<std::size_t> begun{0};
      OrderedStages stages = nothing();
      stages.prepare = [&](std::size_t, std::size_t) { ++begun; };
      stages.*stage = [&, before = stages.*stage](std::size_t item, std::size_t place) {
        before(item, place);
        if (item == 3) throw std::runtime_error("enough");
      };
      EXPECT_THROW(run_ordered(1000, threads, stages), std::runtime_error);
      EXPECT_LE(begun, 4 + 2 * stage_places(threads));
    }
  }
}

#if defined(__SANITIZE_THREAD__)
// That `make tsan` is quiet means something: here it is not.
TEST(OrderedStagesDeathTest, ARaceOfTheStagesIsSeen) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto race = [] {
    std::size_t shared = 0;
    OrderedStages stages = nothing();
    std::atomic<std::size_t> here{0};
    stages.prepare = [&](std::size_t item, std::size_t) {
      ++here;
      while (item < 2 && here < 2) std::this_thread::yield();
      ++shared;
    };
    run_ordered(100, 4, stages);
    std::exit(shared == 0 ? 1 : 0);  // the sanitizer makes it 66
  };
  EXPECT_EXIT(race(), ::testing::ExitedWithCode(66), "data race");
}
#endif

}  // namespace
}  // namespace sealite

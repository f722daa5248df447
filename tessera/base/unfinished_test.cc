#include "tessera/base/unfinished.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace tessera {
namespace {

// A destructor that waits for ever, as CUDA's does when a GPU hangs.
void Exit(bool with_stuck_thread) {
  static const bool stuck = with_stuck_thread;
  (void)std::atexit([] {
    while (stuck) std::this_thread::yield();
  });
  ExitDespiteUnfinished();
  if (with_stuck_thread) new Unfinished;
  std::exit(3);
}

TEST(UnfinishedDeathTest, AProcessWithStuckThreadsEndsWithItsStatus) {
  EXPECT_EXIT(Exit(true), ::testing::ExitedWithCode(3), "threads have not ended");
}

// Something begins after the load that waits at the exit; only a slow step is noticed behind it.
void ExitFromSlowStep() {
  ExitDespiteUnfinished();
  (void)std::atexit([] {
    while (true) std::this_thread::yield();
  });
  ExitDespiteSlowStep();
  new Unfinished;
  std::exit(3);
}

TEST(UnfinishedDeathTest, ASlowStepMovesTheHandlerBehindWhatHasBegun) {
  EXPECT_EXIT(ExitFromSlowStep(), ::testing::ExitedWithCode(3), "threads have not ended");
}

TEST(UnfinishedDeathTest, OthersEndAsEver) {
  EXPECT_EXIT(Exit(false), ::testing::ExitedWithCode(3), "^$");
}

TEST(Unfinished, CountsThoseThatLive) {
  EXPECT_EQ(Unfinished::count(), 0);
  {
    const Unfinished one;
    const Unfinished other;
    EXPECT_EQ(Unfinished::count(), 2);
  }
  EXPECT_EQ(Unfinished::count(), 0);
}

}  // namespace
}  // namespace tessera

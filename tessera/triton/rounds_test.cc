#include "tessera/triton/rounds.h"

#include <gtest/gtest.h>

#include <thread>

namespace tessera::triton {
namespace {

using std::chrono::milliseconds;

TEST(Rounds, AreLentAndGivenBack) {
  Rounds<int> rounds;
  rounds.Add(std::make_unique<int>(1));
  rounds.Add(std::make_unique<int>(2));
  int* const first = rounds.Take(milliseconds(0));
  int* const second = rounds.Take(milliseconds(0));
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_NE(first, second);
  std::thread gives([&] { rounds.Give(*first); });
  EXPECT_EQ(rounds.Take(std::chrono::minutes(1)), first);
  gives.join();
  rounds.Give(*first);
  rounds.Give(*second);
  rounds.AwaitAll();
}

// As the requests of steps that hang keep theirs.
TEST(Rounds, ThatNobodyGivesBackAreWaitedForWithALimit) {
  Rounds<int> rounds;
  rounds.Add(std::make_unique<int>(1));
  ASSERT_NE(rounds.Take(milliseconds(0)), nullptr);
  EXPECT_EQ(rounds.Take(milliseconds(20)), nullptr);
  rounds.Add(std::make_unique<int>(2));
  EXPECT_NE(rounds.Take(milliseconds(0)), nullptr);
}

}  // namespace
}  // namespace tessera::triton

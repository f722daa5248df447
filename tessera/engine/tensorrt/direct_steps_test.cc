#include "tessera/engine/tensorrt/direct_steps.h"

#include <gtest/gtest.h>

namespace tessera::engine {
namespace {

StepAddresses At(uintptr_t address, uint64_t allocation = 1) {
  StepAddresses at(2, 1, 1);
  at.output(1, 0) = {reinterpret_cast<std::byte*>(address), allocation};
  return at;
}

TEST(DirectSteps, OnlyAddressesThatComeBackAreWorthACapture) {
  DirectSteps steps;
  for (int i = 1; i < DirectSteps::kCaptureAt; ++i) EXPECT_FALSE(steps.Seen(At(256)));
  EXPECT_TRUE(steps.Seen(At(256)));
  DirectSteps rotating;
  for (size_t i = 0; i < 100 * (DirectSteps::kMostSeen + 1); ++i) {
    EXPECT_FALSE(rotating.Seen(At(256 * (1 + i % (DirectSteps::kMostSeen + 1)))));
  }
}

TEST(DirectSteps, FindsWhatWasKeptForTheSameAllocationOnly) {
  DirectSteps steps;
  EXPECT_EQ(steps.Find(At(256)), nullptr);
  steps.Keep({At(256), {}});
  EXPECT_NE(steps.Find(At(256)), nullptr);
  EXPECT_EQ(steps.Find(At(512)), nullptr);
  EXPECT_EQ(steps.Find(At(256, 2)), nullptr);
}

TEST(DirectSteps, TheLeastRecentlyUsedGoesFirst) {
  DirectSteps steps;
  for (size_t i = 1; i <= DirectSteps::kMostSteps; ++i) steps.Keep({At(256 * i), {}});
  EXPECT_NE(steps.Find(At(256)), nullptr);
  steps.Keep({At(1), {}});
  EXPECT_NE(steps.Find(At(256)), nullptr);
  EXPECT_EQ(steps.Find(At(512)), nullptr);
}

TEST(StepAddresses, InputsAndOutputsOfRanksAreApart) {
  StepAddresses at(2, 1, 1);
  EXPECT_FALSE(at.any());
  at.input(1, 0) = {reinterpret_cast<std::byte*>(256), 1};
  EXPECT_TRUE(at.any());
  EXPECT_EQ(at.input(0, 0).at, nullptr);
  EXPECT_EQ(at.output(0, 0).at, nullptr);
  EXPECT_EQ(at.output(1, 0).at, nullptr);
  at.Clear();
  EXPECT_EQ(at, StepAddresses(2, 1, 1));
}

}  // namespace
}  // namespace tessera::engine

#include "tessera/engine/step_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tessera::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

bool Push(StepQueue& queue, size_t slot, Deadline deadline = Deadline::Never(),
          StepQueue::Duration limit = StepQueue::Duration::max()) {
  StepQueue::Flight flight{slot, deadline, limit, [](const Result<StepReport>&) {}};
  return queue.Push(flight);
}

TEST(StepQueue, EndsStepsInTheirOrderAndGivesTheirSlotsInTurns) {
  StepQueue queue(2);
  ASSERT_EQ(queue.AwaitSlot(), 0U);
  ASSERT_TRUE(Push(queue, 0));
  ASSERT_EQ(queue.AwaitSlot(), 1U);
  ASSERT_TRUE(Push(queue, 1));
  EXPECT_EQ(queue.AwaitOldest()->slot, 0U);
  EXPECT_TRUE(queue.Pop());
  EXPECT_EQ(queue.AwaitSlot(), 0U);
  EXPECT_FALSE(queue.idle());
  EXPECT_EQ(queue.AwaitOldest()->slot, 1U);
  EXPECT_TRUE(queue.Pop());
  EXPECT_TRUE(queue.idle());
}

TEST(StepQueue, TheTimeOfAStepBehindAnotherBeginsWhenThatHasEnded) {
  StepQueue queue(2);
  const Deadline past = Deadline::In(milliseconds(-1));
  ASSERT_TRUE(Push(queue, 0, past, milliseconds(10)));
  ASSERT_TRUE(Push(queue, 1, past, hours(1)));
  EXPECT_EQ(queue.AwaitOldest()->deadline.at(), past.at());
  (void)queue.Pop();
  EXPECT_GT(queue.AwaitOldest()->deadline.at(), Deadline::In(milliseconds(59 * 60'000)).at());
  (void)queue.Pop();
  ASSERT_TRUE(Push(queue, 0, past, hours(1)));  // alone again
  EXPECT_EQ(queue.AwaitOldest()->deadline.at(), past.at());
}

TEST(StepQueue, ALaterDeadlineIsNotMadeSooner) {
  StepQueue queue(2);
  ASSERT_TRUE(Push(queue, 0));
  ASSERT_TRUE(Push(queue, 1));
  (void)queue.Pop();
  EXPECT_TRUE(queue.AwaitOldest()->deadline.never());
}

TEST(StepQueue, WaitingForIdleEndsAtTheDeadline) {
  StepQueue queue(2);
  ASSERT_TRUE(Push(queue, 0));
  const Result<void> idle = queue.AwaitIdle(Deadline::In(milliseconds(1)));
  ASSERT_FALSE(idle);
  EXPECT_EQ(idle.error().code, Code::kDeadline);
}

TEST(StepQueue, WhatIsGivenUpIsInFlightNoMore) {
  StepQueue queue(2);
  ASSERT_TRUE(Push(queue, 0));
  ASSERT_TRUE(Push(queue, 1));
  EXPECT_FALSE(queue.given_up());
  const std::vector<StepQueue::Flight> given_up = queue.GiveUp();
  ASSERT_EQ(given_up.size(), 2U);
  EXPECT_EQ(given_up[0].slot, 0U);
  EXPECT_TRUE(given_up[1].done);
  EXPECT_TRUE(queue.given_up());
  EXPECT_TRUE(queue.idle());
  EXPECT_FALSE(queue.Pop());  // by a thread that comes back
}

TEST(StepQueue, AStepThatComesAfterItWasGivenUpKeepsItsDone) {
  StepQueue queue(2);
  (void)queue.GiveUp();
  StepQueue::Flight late{queue.AwaitSlot(), Deadline::Never(), hours(1), [](const Result<StepReport>&) {}};
  EXPECT_FALSE(queue.Push(late));
  EXPECT_TRUE(late.done);
  EXPECT_TRUE(queue.idle());
}

TEST(StepQueue, WhoWaitsForRoomGoesOnWhenItIsGivenUp) {
  StepQueue queue(1);
  ASSERT_TRUE(Push(queue, 0));
  std::thread issuing([&queue] { (void)queue.AwaitSlot(); });
  std::thread alone([&queue] { EXPECT_TRUE(queue.AwaitIdle(Deadline::Never())); });
  (void)queue.GiveUp();
  issuing.join();
  alone.join();
}

TEST(StepQueue, StopLetsTheStepsInFlightEnd) {
  StepQueue queue(2);
  ASSERT_TRUE(Push(queue, 0));
  queue.Stop();
  EXPECT_TRUE(queue.AwaitOldest());
  (void)queue.Pop();
  EXPECT_FALSE(queue.AwaitOldest());
}

TEST(StepQueue, ManyStepsPassInOrderWithNoMoreThanTheSlotsInFlight) {
  constexpr int kSteps = 20'000;
  StepQueue queue(3);
  std::atomic<int> issued{0};
  int ended = 0;
  std::thread finishing([&] {
    while (const auto oldest = queue.AwaitOldest()) {
      EXPECT_EQ(oldest->slot, static_cast<size_t>(ended % 3));
      EXPECT_LE(issued.load() - ended, 4);  // three in flight, one about to be pushed
      if (const RankGroup::Completion done = queue.Pop()) done(StepReport{});
    }
    queue.Leave();
  });
  for (int i = 0; i < kSteps; ++i) {
    const size_t slot = queue.AwaitSlot();
    issued.store(i + 1);
    StepQueue::Flight flight{slot, Deadline::Never(), StepQueue::Duration::max(),
                             [&ended, i](const Result<StepReport>&) {
                               EXPECT_EQ(ended, i);
                               ++ended;
                             }};
    ASSERT_TRUE(queue.Push(flight));
    if (i % 7 == 0) {
      EXPECT_TRUE(queue.AwaitIdle(Deadline::Never()));
    }
  }
  queue.Stop();
  EXPECT_TRUE(queue.AwaitLeft(Deadline::Never()));
  finishing.join();
  EXPECT_EQ(ended, kSteps);
}

TEST(StepQueue, WhoLooksForTheNextStepSeesItAndTheEnd) {
  StepQueue queue(2);
  std::atomic<int> seen{0};
  std::thread finishing([&] {
    while (const std::optional<StepQueue::Oldest> oldest = queue.AwaitOldest(hours(1))) {
      EXPECT_EQ(oldest->slot, static_cast<size_t>(seen % 2));
      (void)queue.Pop();
      ++seen;
    }
    queue.Leave();
  });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Push(queue, queue.AwaitSlot()));
  EXPECT_TRUE(queue.AwaitIdle(Deadline::In(milliseconds(20'000))));
  queue.Stop();
  EXPECT_TRUE(queue.AwaitLeft(Deadline::In(milliseconds(20'000))));
  finishing.join();
  EXPECT_EQ(seen, 50);
}

}  // namespace
}  // namespace tessera::engine

#include "tessera/engine/step_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tessera::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

StepQueue::Flight FlightIn(size_t slot, Deadline deadline = Deadline::Never(),
                           StepQueue::Duration limit = StepQueue::Duration::max()) {
  return {slot, deadline, limit, [](const Result<StepReport>&) {}};
}

TEST(StepQueue, EndsStepsInTheirOrderAndGivesTheirSlotsInTurns) {
  StepQueue queue(2);
  ASSERT_EQ(queue.AwaitSlot(), 0U);
  queue.Push(FlightIn(0));
  ASSERT_EQ(queue.AwaitSlot(), 1U);
  queue.Push(FlightIn(1));
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
  queue.Push(FlightIn(0, past, milliseconds(10)));
  queue.Push(FlightIn(1, past, hours(1)));
  EXPECT_EQ(queue.AwaitOldest()->deadline.at(), past.at());
  (void)queue.Pop();
  EXPECT_GT(queue.AwaitOldest()->deadline.at(), Deadline::In(milliseconds(59 * 60'000)).at());
  (void)queue.Pop();
  queue.Push(FlightIn(0, past, hours(1)));  // alone again
  EXPECT_EQ(queue.AwaitOldest()->deadline.at(), past.at());
}

TEST(StepQueue, ALaterDeadlineIsNotMadeSooner) {
  StepQueue queue(2);
  queue.Push(FlightIn(0));
  queue.Push(FlightIn(1));
  (void)queue.Pop();
  EXPECT_TRUE(queue.AwaitOldest()->deadline.never());
}

TEST(StepQueue, WaitingForIdleEndsAtTheDeadline) {
  StepQueue queue(2);
  queue.Push(FlightIn(0));
  const Result<void> idle = queue.AwaitIdle(Deadline::In(milliseconds(1)));
  ASSERT_FALSE(idle);
  EXPECT_EQ(idle.error().code, Code::kDeadline);
}

TEST(StepQueue, NothingIsCalledAfterItWasAbandoned) {
  StepQueue queue(1);
  queue.Push(FlightIn(0));
  EXPECT_FALSE(queue.AwaitLeft(Deadline::In(milliseconds(1))));
  queue.Abandon();
  EXPECT_FALSE(queue.Pop());
}

TEST(StepQueue, StopLetsTheStepsInFlightEnd) {
  StepQueue queue(2);
  queue.Push(FlightIn(0));
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
    queue.Push({slot, Deadline::Never(), StepQueue::Duration::max(), [&ended, i](const Result<StepReport>&) {
                  EXPECT_EQ(ended, i);
                  ++ended;
                }});
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
  for (int i = 0; i < 50; ++i) queue.Push(FlightIn(queue.AwaitSlot()));
  EXPECT_TRUE(queue.AwaitIdle(Deadline::In(milliseconds(20'000))));
  queue.Stop();
  EXPECT_TRUE(queue.AwaitLeft(Deadline::In(milliseconds(20'000))));
  finishing.join();
  EXPECT_EQ(seen, 50);
}

}  // namespace
}  // namespace tessera::engine

#include "tessera/engine/step_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace tessera::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds kGrace{30};

// Steps that end at once, but for one whose Await hangs until it is let go.
class ScriptedSteps final : public IssuedSteps {
 public:
  Result<void> Await(size_t, Deadline) override {
    if (hangs.exchange(false)) {
      hanging.set_value();
      may_return.get_future().wait();
    }
    if (aborted) return Fail(Code::kCancelled, "aborted");
    return {};
  }
  Result<StepReport> Collect(size_t) override {
    ++collected;
    return StepReport{};
  }
  void Abort(const Error& why) noexcept override {
    if (!aborted.exchange(true)) reason.set_value(why);
  }

  std::atomic<bool> hangs{false};
  std::promise<void> hanging;
  std::promise<void> may_return;
  std::atomic<bool> aborted{false};
  std::promise<Error> reason;
  std::atomic<int> collected{0};
};

class StepEndsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = StepEnds::Create(steps_, 2, kGrace);
    ASSERT_TRUE(made) << made.error().message;
    ends_ = *std::move(made);
  }

  std::future<Result<StepReport>> Issue(Deadline deadline) {
    auto report = std::make_shared<std::promise<Result<StepReport>>>();
    StepQueue::Flight flight{ends_->in_flight().AwaitSlot(), deadline, hours(1),
                             [report](Result<StepReport> result) { report->set_value(std::move(result)); }};
    EXPECT_TRUE(ends_->in_flight().Push(flight));
    return report->get_future();
  }

  const std::shared_ptr<ScriptedSteps> steps_ = std::make_shared<ScriptedSteps>();
  std::unique_ptr<StepEnds> ends_;
};

TEST_F(StepEndsTest, StepsThatEndAreCollectedAndTold) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Issue(Deadline::In(hours(1))).get());
  EXPECT_EQ(steps_->collected, 5);
  EXPECT_FALSE(steps_->aborted);
}

TEST_F(StepEndsTest, AStepThatHangsIsToldBehindItsDeadlineWithAllBehindIt) {
  steps_->hangs = true;
  auto first = Issue(Deadline::In(milliseconds(10)));
  auto second = Issue(Deadline::In(hours(1)));
  const Result<StepReport> told = first.get();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::kDeadline);
  EXPECT_THAT(told.error().message, ::testing::HasSubstr("driver hangs"));
  EXPECT_EQ(second.get().error().code, Code::kDeadline);
  EXPECT_EQ(steps_->reason.get_future().get().code, Code::kDeadline);

  steps_->may_return.set_value();  // it comes back: nobody is told twice, nothing is collected
  ends_.reset();
  EXPECT_EQ(steps_->collected, 0);
}

TEST_F(StepEndsTest, TheEndDoesNotWaitForAThreadThatHangs) {
  steps_->hangs = true;
  auto told = Issue(Deadline::In(hours(1)));
  steps_->hanging.get_future().wait();
  const auto start = Deadline::Clock::now();
  ends_.reset();
  EXPECT_LT(Deadline::Clock::now() - start, std::chrono::seconds(10));
  ASSERT_EQ(told.wait_for(milliseconds(0)), std::future_status::ready);
  EXPECT_EQ(told.get().error().message, "the model is being unloaded");
  EXPECT_EQ(steps_.use_count(), 2);  // the thread's, which is left behind
  steps_->may_return.set_value();
  while (steps_.use_count() > 1) std::this_thread::yield();
  EXPECT_EQ(steps_->collected, 0);
}

TEST_F(StepEndsTest, AnAnswerThatHangsHoldsNoStepBehindItUp) {
  std::promise<void> may_return;
  StepQueue::Flight flight{ends_->in_flight().AwaitSlot(), Deadline::In(milliseconds(10)), hours(1),
                           [&](const Result<StepReport>&) { may_return.get_future().wait(); }};
  ASSERT_TRUE(ends_->in_flight().Push(flight));
  const auto second = Issue(Deadline::In(hours(1))).get();
  EXPECT_EQ(second.error().code, Code::kDeadline);
  EXPECT_TRUE(steps_->aborted);
  may_return.set_value();
}

}  // namespace
}  // namespace tessera::engine

#include "tessera/engine/threaded_rank_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <future>
#include <set>

#include "tessera/comm/inproc/inproc_group.h"
#include "tessera/comm/testing/faulty_communicator.h"
#include "tessera/engine/testing/plain_step.h"
#include "tessera/engine/testing/scripted_session.h"

namespace tessera::engine {
namespace {

using comm::testing::FaultPlan;
using ::testing::HasSubstr;

// Later than any of these tests may take: who finishes did not wait for it.
Deadline Far() {
  return Deadline::In(std::chrono::minutes(10));
}

class ThreadedRankGroupTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<RankGroup>> Make(int ranks, const SessionFactory& factory,
                                          Deadline deadline = Far()) {
    TRY_ASSIGN(auto ends, comm::CreateInprocGroup(ranks));
    return MakeThreadedRankGroup(comm::testing::WithFaults(std::move(ends), faults_), factory, deadline);
  }

  std::unique_ptr<RankGroup> MakeRunning(int ranks, Script script) {
    Result<std::unique_ptr<RankGroup>> group = Make(ranks, Scripted({}, {}, std::move(script)));
    if (group) return *std::move(group);
    ADD_FAILURE() << group.error().message;
    return nullptr;
  }

  Step StepFor(int ranks, Deadline deadline = Far()) {
    return {std::vector<RankInputs>(static_cast<size_t>(ranks)), &sink_, deadline};
  }

  std::shared_ptr<FaultPlan> faults_ = std::make_shared<FaultPlan>();
  KeepingSink sink_{4, 1};
};

TEST_F(ThreadedRankGroupTest, ARankKeepsItsThreadForLife) {
  Mutex mutex;
  std::set<std::pair<int, pthread_t>> seen;
  auto group = MakeRunning(3, [&](const ScriptedStep& step) -> Result<void> {
    MutexLock lock(mutex);
    seen.emplace(step.end.rank().value(), pthread_self());
    return {};
  });
  const Step step = StepFor(3);
  for (int i = 0; i < 10; ++i) {
    std::promise<void> done;
    group->Submit(step, [&](const Result<StepReport>&) { done.set_value(); });
    done.get_future().wait();
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(ThreadedRankGroupTest, RunTakesTurnsWithSubmit) {
  auto group = MakeRunning(2, SumOneFloat);
  const Step step = StepFor(2);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(group->Run(step));
    std::promise<void> done;
    group->Submit(step, [&](const Result<StepReport>&) { done.set_value(); });
    done.get_future().wait();
  }
}

TEST_F(ThreadedRankGroupTest, ReportsEachRanksTime) {
  auto group = MakeRunning(2, SumOneFloat);
  Result<StepReport> report = group->Run(StepFor(2));
  ASSERT_TRUE(report);
  ASSERT_EQ(report->rank_time.size(), 2U);
  EXPECT_GT(report->rank_time[0].count(), 0);
}

TEST_F(ThreadedRankGroupTest, SubmitCompletesOnceFromAnotherThread) {
  auto group = MakeRunning(2, SumOneFloat);
  std::promise<pthread_t> completed;
  const Step step = StepFor(2);
  group->Submit(step, [&](const Result<StepReport>& report) {
    EXPECT_TRUE(report);
    completed.set_value(pthread_self());
  });
  EXPECT_FALSE(pthread_equal(completed.get_future().get(), pthread_self()));
}

TEST_F(ThreadedRankGroupTest, ARankThatFailsFreesItsPeersAndItsErrorWins) {
  faults_->FailAt(Rank{1}, 3, Error{Code::kInternal, "the disk is on fire", -1, nullptr, 0});
  auto group = MakeRunning(4, SumOneFloat);
  ASSERT_TRUE(group->Run(StepFor(4)));
  ASSERT_TRUE(group->Run(StepFor(4)));
  Result<StepReport> failed = group->Run(StepFor(4));  // returns: the peers do not wait for the deadline
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kInternal);
  EXPECT_EQ(failed.error().rank, 1);
  EXPECT_EQ(failed.error().message, "the disk is on fire");
  EXPECT_FALSE(group->usable());
}

TEST_F(ThreadedRankGroupTest, APeersLossDoesNotHideTheCause) {
  // Rank 0 hears of the loss before rank 1, which knows why, comes out with it.
  std::promise<void> started;
  auto group = MakeRunning(2, [&](const ScriptedStep& step) -> Result<void> {
    if (step.end.rank() == Rank{0}) {
      started.get_future().wait();
      return Fail(Code::kPeerLost, "rank 1 left");
    }
    started.set_value();
    step.hang();  // until rank 0's failure cancels it
    return Fail(Code::kInternal, "out of memory");
  });
  Result<StepReport> failed = group->Run(StepFor(2));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "out of memory");
  EXPECT_EQ(failed.error().rank, 1);
}

TEST_F(ThreadedRankGroupTest, ARankThatHangsInACollectiveEndsAtTheDeadline) {
  faults_->HangAt(Rank{1}, 1);
  auto group = MakeRunning(2, SumOneFloat);
  Result<StepReport> late = group->Run(StepFor(2, Deadline::In(std::chrono::milliseconds(20))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  EXPECT_FALSE(group->usable());
}

TEST_F(ThreadedRankGroupTest, ARankThatHangsElsewhereIsCancelledAtTheDeadlineAndNamed) {
  auto group = MakeRunning(2, [](const ScriptedStep& step) -> Result<void> {
    if (step.end.rank() == Rank{0}) return {};
    step.hang();
    return Fail(Code::kCancelled, "cancelled");
  });
  Result<StepReport> late = group->Run(StepFor(2, Deadline::In(std::chrono::milliseconds(20))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  EXPECT_EQ(late.error().message, "the step did not finish in its time, still running: rank 1");
}

TEST_F(ThreadedRankGroupTest, AbortEndsTheStepWithItsReason) {
  std::promise<void> running;
  auto group = MakeRunning(2, [&](const ScriptedStep& step) -> Result<void> {
    if (step.end.rank() == Rank{0}) return SumOneFloat(step);
    running.set_value();
    step.hang();
    return Fail(Code::kCancelled, "cancelled");
  });
  std::promise<Result<StepReport>> done;
  const Step step = StepFor(2);
  group->Submit(step, [&](Result<StepReport> result) { done.set_value(std::move(result)); });
  running.get_future().wait();
  group->Abort(Error{Code::kUnavailable, "the server stops", -1, nullptr, 0});
  Result<StepReport> aborted = done.get_future().get();
  ASSERT_FALSE(aborted);
  EXPECT_EQ(aborted.error().message, "the server stops");
}

TEST_F(ThreadedRankGroupTest, DestructionEndsAStepInFlight) {
  std::promise<void> running;
  std::promise<Result<StepReport>> done;
  const Step step = StepFor(2);
  {
    auto group = MakeRunning(2, [&](const ScriptedStep& scripted) -> Result<void> {
      if (scripted.end.rank() == Rank{0}) return SumOneFloat(scripted);
      running.set_value();
      scripted.hang();
      return Fail(Code::kCancelled, "cancelled");
    });
    group->Submit(step, [&](Result<StepReport> result) { done.set_value(std::move(result)); });
    running.get_future().wait();
  }
  EXPECT_FALSE(done.get_future().get());
}

TEST_F(ThreadedRankGroupTest, ALoneRankThatRefusesItsInputsGoesOn) {
  std::atomic<int> steps{0};
  auto group = MakeRunning(1, [&](const ScriptedStep&) -> Result<void> {
    if (++steps == 1) return Fail(Code::kInvalidArgument, "a bad request");
    return {};
  });
  Result<StepReport> failed = group->Run(StepFor(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "a bad request");
  EXPECT_TRUE(group->usable());
  EXPECT_TRUE(group->Run(StepFor(1)));
}

TEST_F(ThreadedRankGroupTest, ARankThatCannotLoadFreesThoseThatWarmUp) {
  Result<std::unique_ptr<RankGroup>> group =
      Make(3, [](comm::Communicator& end, Deadline deadline) -> Result<std::unique_ptr<RankSession>> {
        if (end.rank() == Rank{2}) return Fail(Code::kNotFound, "no file");
        RankInputs none;
        KeepingSink sink(3, 0);
        TRY(SumOneFloat({end, none, sink, deadline, {}}));  // waits for rank 2
        return Fail(Code::kInternal, "never here");
      });
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kNotFound);
  EXPECT_EQ(group.error().rank, 2);
}

TEST_F(ThreadedRankGroupTest, ALoadThatIsLateNamesItsRanks) {
  Result<std::unique_ptr<RankGroup>> group = Make(
      2,
      [](comm::Communicator& end, Deadline deadline) -> Result<std::unique_ptr<RankSession>> {
        if (end.rank() == Rank{1}) {
          RankInputs none;
          KeepingSink sink(2, 0);
          TRY(SumOneFloat({end, none, sink, Deadline::Never(), {}}));  // rank 0 never comes: until the abort
        }
        return Scripted({}, {}, SumOneFloat)(end, deadline);
      },
      Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kDeadline);
  EXPECT_EQ(group.error().message, "not loaded in time: rank 1");
}

TEST_F(ThreadedRankGroupTest, RanksThatDeclareDifferentTensorsAreRefused) {
  Result<std::unique_ptr<RankGroup>> group =
      Make(2, [](comm::Communicator& end, Deadline deadline) -> Result<std::unique_ptr<RankSession>> {
        return Scripted({{"x", DType::kFloat32, {end.rank().value()}}}, {}, SumOneFloat)(end, deadline);
      });
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().message, "rank 1: its inputs or outputs differ from those of rank 0");
}

TEST_F(ThreadedRankGroupTest, RunsManyStepsOfMoreRanksThanCores) {
  auto group = MakeRunning(4, [](const ScriptedStep& step) -> Result<void> {
    for (int i = 0; i < 3; ++i) TRY(SumOneFloat(step));
    return {};
  });
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(group->Run(StepFor(4)));
}

}  // namespace
}  // namespace tessera::engine

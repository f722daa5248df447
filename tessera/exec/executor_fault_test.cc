// The executor over real rank threads and communicators that fail: from the fault to the next request that
// works.
#include <gtest/gtest.h>

#include "tessera/comm/inproc/inproc_group.h"
#include "tessera/comm/testing/faulty_communicator.h"
#include "tessera/engine/testing/scripted_session.h"
#include "tessera/engine/threaded_rank_group.h"
#include "tessera/exec/executor.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

using comm::testing::FaultPlan;

// Groups of scripted sessions over faulty in-process communicators.
class ScriptedEngine final : public engine::Engine {
 public:
  explicit ScriptedEngine(engine::Script script) : script_(std::move(script)) {}

  std::string_view name() const override { return "scripted"; }

  Result<std::unique_ptr<engine::RankGroup>> Load(const plan::Plan& plan,
                                                  const std::filesystem::path& /*directory*/,
                                                  Deadline deadline) override {
    TRY_ASSIGN(auto ends, comm::CreateInprocGroup(plan.world_size()));
    return engine::MakeThreadedRankGroup(comm::testing::WithFaults(std::move(ends), faults),
                                         engine::Scripted({}, {{"y", DType::kFloat32, {1}}}, script_),
                                         deadline);
  }

  std::shared_ptr<FaultPlan> faults = std::make_shared<FaultPlan>();

 private:
  engine::Script script_;
};

// y = the number of ranks, by two all_reduces.
Result<void> CountRanks(const engine::ScriptedStep& step) {
  TRY(engine::SumOneFloat(step));
  float sum = 1;
  const std::span<float> one(&sum, 1);
  TRY(step.end.Run({CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kFloat32}, std::as_bytes(one),
                   std::as_writable_bytes(one), step.deadline));
  TRY_ASSIGN(const Region place, step.sink.Place(step.end.rank(), 0, DType::kFloat32, {1}));
  if (place.data != nullptr) CopyHost(HostRegion(std::as_bytes(one)), place);
  return {};
}

class ExecutorFault : public ::testing::Test {
 protected:
  std::unique_ptr<Executor> Make(ScriptedEngine& engine) {
    EXPECT_TRUE(directory_.WritePlan(3, {}, {{{"y", DType::kFloat32, {1}}, {""}, {}}}));
    Result<std::unique_ptr<Executor>> executor = Executor::Create(directory_.path(), engine);
    if (executor) return *std::move(executor);
    ADD_FAILURE() << executor.error().message;
    return nullptr;
  }

  // Its deadline is far: a request that ends was not ended by it.
  Result<InferReport> Infer(Executor& executor, Deadline deadline = Deadline::In(std::chrono::minutes(5))) {
    return executor.Infer({}, target_, deadline);
  }

  PlanDirectory directory_;
  KeepingTarget target_;
};

TEST_F(ExecutorFault, PeerLossAbortsEveryRankBeforeDeadline) {
  ScriptedEngine engine(CountRanks);
  engine.faults->FailAt(Rank{1}, 3, Error{Code::kPeerLost, "the link is down", -1, nullptr, 0});
  auto executor = Make(engine);
  ASSERT_TRUE(Infer(*executor));
  Result<InferReport> lost = Infer(*executor);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kPeerLost);
  EXPECT_EQ(lost.error().message, "the link is down");
  EXPECT_EQ(lost.error().rank, 1);
}

TEST_F(ExecutorFault, TheRequestAfterAFailureIsAnsweredRight) {
  ScriptedEngine engine(CountRanks);
  engine.faults->FailAt(Rank{2}, 2, Error{Code::kInternal, "no", -1, nullptr, 0});
  auto executor = Make(engine);
  EXPECT_FALSE(Infer(*executor));
  Result<InferReport> next = Infer(*executor);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(target_.kept[0].values, (std::vector<float>{3}));
}

TEST_F(ExecutorFault, ARankThatHangsInACollectiveIsLeftAtTheDeadline) {
  ScriptedEngine engine(CountRanks);
  engine.faults->HangAt(Rank{0}, 1);
  auto executor = Make(engine);
  Result<InferReport> late = Infer(*executor, Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  EXPECT_TRUE(Infer(*executor));
}

TEST_F(ExecutorFault, ARankThatHangsElsewhereIsLeftAtTheDeadline) {
  std::atomic<bool> hang{true};
  ScriptedEngine engine([&hang](const engine::ScriptedStep& step) -> Result<void> {
    if (step.end.rank() == Rank{1} && hang.exchange(false)) {
      step.hang();
      return Fail(Code::kCancelled, "cancelled");
    }
    return CountRanks(step);
  });
  auto executor = Make(engine);
  Result<InferReport> late = Infer(*executor, Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  EXPECT_TRUE(Infer(*executor));
  EXPECT_EQ(target_.kept[0].values, (std::vector<float>{3}));
}

}  // namespace
}  // namespace tessera::exec

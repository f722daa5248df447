#include "tessera/exec/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tessera/base/mutex.h"
#include "tessera/exec/testing/fake_engine.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

using Kind = plan::Layout::Kind;
using ::testing::HasSubstr;

// Writes `value` + rank into all of output `index` on `rank`, wherever the sink wants it.
Result<void> Fill(const engine::Step& step, int rank, int index, const Shape& shape, float value) {
  TRY_ASSIGN(const Region place, step.sink->Place(Rank{rank}, index, DType::kFloat32, shape));
  if (place.data == nullptr) return {};
  const std::vector<float> values(static_cast<size_t>(ElementCount(shape)), value + static_cast<float>(rank));
  CopyHost(HostRegion(std::as_bytes(std::span(values))), place);
  return {};
}

// Two ranks, an input x and an output of each layout.
class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() {
    engine_.step = [](const engine::Step& step) -> Result<void> {
      for (int rank : {1, 0}) {
        TRY(Fill(step, rank, 0, {2}, 10));
        TRY(Fill(step, rank, 1, {2, 1}, 20));
        TRY(Fill(step, rank, 2, {1}, 30));
      }
      return {};
    };
  }

  std::unique_ptr<Executor> Make(const Options& options = {}) {
    EXPECT_TRUE(
        directory_.WritePlan(2, {Planned("x", {kDynamic})},
                             {Planned("whole", {2}), Planned("split", {2, 2}, {Kind::kSplit, 1, Rank{0}}),
                              Planned("one", {1}, {Kind::kRank, 0, Rank{1}})}));
    Result<std::unique_ptr<Executor>> executor = Executor::Create(directory_.path(), engine_, options);
    if (executor) return *std::move(executor);
    ADD_FAILURE() << executor.error().message;
    return nullptr;
  }

  Result<InferReport> Infer(Executor& executor, Deadline deadline = Deadline::Never()) {
    return executor.Infer(inputs_, target_, deadline);
  }

  PlanDirectory directory_;
  FakeEngine engine_{
      {{"x", DType::kFloat32, {kDynamic}}},
      {{"whole", DType::kFloat32, {2}}, {"split", DType::kFloat32, {2, 1}}, {"one", DType::kFloat32, {1}}}};
  const std::vector<float> x_{1, 2, 3};
  std::vector<TensorView> inputs_{{DType::kFloat32, {3}, HostRegion(std::as_bytes(std::span(x_)))}};
  KeepingTarget target_;
};

TEST_F(ExecutorTest, PutsOutputsTogetherByTheirLayouts) {
  auto executor = Make();
  Result<InferReport> report = Infer(*executor);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rank_time.size(), 2U);
  EXPECT_EQ(target_.kept[0].values, (std::vector<float>{10, 10}));
  EXPECT_EQ(target_.kept[1].shape, (Shape{2, 2}));
  EXPECT_EQ(target_.kept[1].values, (std::vector<float>{20, 21, 20, 21}));
  EXPECT_EQ(target_.kept[2].values, (std::vector<float>{31}));
}

TEST_F(ExecutorTest, DescribesTheModelGlobally) {
  auto executor = Make();
  EXPECT_EQ(executor->inputs(), (std::vector<TensorSpec>{{"x", DType::kFloat32, {kDynamic}}}));
  EXPECT_EQ(executor->outputs()[1], (TensorSpec{"split", DType::kFloat32, {2, 2}}));
  EXPECT_EQ(executor->plan().world_size(), 2);
}

TEST_F(ExecutorTest, ABadInputRunsNothing) {
  auto executor = Make();
  engine_.step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "was run"); };
  inputs_[0].type = DType::kInt32;
  Result<InferReport> report = Infer(*executor);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "input 'x' is INT32, model wants FP32");
  EXPECT_EQ(engine_.loads, 1);
}

TEST_F(ExecutorTest, AnUnwantedOutputIsLeftOut) {
  auto executor = Make();
  class Nothing final : public OutputTarget {
   public:
    Result<Region> Place(int /*index*/, DType /*type*/, const Shape& /*shape*/) override { return Region{}; }
  } nothing;
  EXPECT_TRUE(executor->Infer(inputs_, nothing, Deadline::Never()));
}

TEST_F(ExecutorTest, OutputsThatAreNotAsPlannedAreNamed) {
  auto executor = Make();
  engine_.step = [](const engine::Step& step) { return Fill(step, 0, 0, {3}, 0); };
  Result<InferReport> report = Infer(*executor);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "output 'whole' came as [3], the plan says [2]");

  engine_.step = [](const engine::Step& step) -> Result<void> {
    TRY(Fill(step, 0, 1, {2, 1}, 0));
    return Fill(step, 1, 1, {3, 1}, 0);
  };
  report = Infer(*executor);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "rank 1: output 'split' is [3,1], on another rank [2,1]");
}

TEST_F(ExecutorTest, AnOutputThatNeverCameIsNamed) {
  auto executor = Make();
  engine_.step = [](const engine::Step&) { return Result<void>(); };
  Result<InferReport> report = Infer(*executor);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInternal);
  EXPECT_EQ(report.error().message, "the engine gave no output 'whole'");
}

TEST_F(ExecutorTest, AFailedGroupIsLoadedAnewForTheNextRequest) {
  auto executor = Make();
  const FakeStep good = engine_.step;
  engine_.step = [](const engine::Step&) -> Result<void> { return Fail(Code::kPeerLost, "rank 1 is gone"); };
  Result<InferReport> lost = Infer(*executor);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kPeerLost);
  engine_.step = good;
  EXPECT_TRUE(Infer(*executor));
  EXPECT_EQ(engine_.loads, 2);
}

TEST_F(ExecutorTest, AReloadThatFailsIsToldAndTriedAgain) {
  auto executor = Make();
  const FakeStep good = engine_.step;
  engine_.before_load = [](int load) -> Result<void> {
    if (load < 3) return Fail(Code::kNotFound, "no file");
    return {};
  };
  engine_.step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); };
  EXPECT_FALSE(Infer(*executor));
  engine_.step = good;
  // The keeper's own try has failed or is failing; the request's own try fails too.
  Result<InferReport> unavailable = Infer(*executor);
  while (unavailable.has_value() == false && engine_.loads < 4) {
    EXPECT_EQ(unavailable.error().code, Code::kUnavailable);
    EXPECT_EQ(unavailable.error().message, "the ranks cannot be loaded anew: no file");
    unavailable = Infer(*executor);
  }
  EXPECT_TRUE(unavailable) << unavailable.error().message;
}

TEST_F(ExecutorTest, ARequestDoesNotWaitForAReloadPastItsDeadline) {
  auto executor = Make();
  std::promise<void> go_on;
  std::shared_future<void> may_load = go_on.get_future().share();
  engine_.before_load = [may_load](int) -> Result<void> {
    may_load.wait();
    return {};
  };
  engine_.step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); };
  EXPECT_FALSE(Infer(*executor));
  Result<InferReport> late = Infer(*executor, Deadline::In(std::chrono::milliseconds(5)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  go_on.set_value();
}

TEST_F(ExecutorTest, TellsWhenTheRanksAreLostAndWhenTheyAreBack) {
  Mutex mutex;
  std::vector<bool> told;
  Options options;
  options.on_ready = [&](bool ready) {
    MutexLock lock(mutex);
    told.push_back(ready);
  };
  engine_.before_load = [](int load) -> Result<void> {
    if (load == 1) return Fail(Code::kUnavailable, "not yet");
    return {};
  };
  auto executor = Make(options);
  const FakeStep good = std::exchange(
      engine_.step, [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); });
  EXPECT_FALSE(Infer(*executor));
  engine_.step = good;
  while (!Infer(*executor)) {  // once or twice: the first load fails
  }
  executor.reset();
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

TEST_F(ExecutorTest, RanksThatCannotBeLoadedAreTriedAgainWithoutARequest) {
  std::promise<void> back;
  Options options;
  options.on_ready = [&](bool ready) {
    if (ready) back.set_value();
  };
  std::unique_ptr<Executor> executor;
  engine_.before_load = [&executor](int load) -> Result<void> {
    if (load == 0) return {};
    EXPECT_FALSE(executor->ready());
    if (load == 1) return Fail(Code::kUnavailable, "not yet");
    return {};
  };
  executor = Make(options);
  EXPECT_TRUE(executor->ready());
  engine_.step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); };
  EXPECT_FALSE(Infer(*executor));
  EXPECT_EQ(back.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(executor->ready());
}

TEST_F(ExecutorTest, AStepGetsTheSoonerOfBothLimits) {
  Options options;
  options.step_limit = std::chrono::minutes(1);
  auto executor = Make(options);
  Deadline seen = Deadline::Never();
  engine_.step = [&seen](const engine::Step& step) -> Result<void> {
    seen = step.deadline;
    return Fail(Code::kInvalidArgument, "enough");
  };
  EXPECT_FALSE(Infer(*executor));
  EXPECT_LE(seen.at(), Deadline::In(std::chrono::minutes(1)).at());
  const Deadline mine = Deadline::In(std::chrono::seconds(20));
  EXPECT_FALSE(Infer(*executor, mine));
  EXPECT_EQ(seen.at(), mine.at());
}

TEST_F(ExecutorTest, ServesManyThreadsOneAtATime) {
  auto executor = Make();
  const FakeStep good = engine_.step;
  std::atomic<int> inside{0};
  engine_.step = [&](const engine::Step& step) -> Result<void> {
    EXPECT_EQ(++inside, 1);
    Result<void> ran = good(step);
    --inside;
    return ran;
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        KeepingTarget target;
        ASSERT_TRUE(executor->Infer(inputs_, target, Deadline::Never()));
        ASSERT_EQ(target.kept[1].values, (std::vector<float>{20, 21, 20, 21}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ExecutorTest, AFileThatIsNotThePlansIsRefused) {
  ASSERT_TRUE(directory_.WritePlan(2, {}, {}));
  directory_.Write("model.onnx.rank1", "model.onnx.RANK1");
  Result<std::unique_ptr<Executor>> executor = Executor::Create(directory_.path(), engine_);
  ASSERT_FALSE(executor);
  EXPECT_EQ(executor.error().code, Code::kInvalidArgument);
  EXPECT_THAT(executor.error().message, HasSubstr("model.onnx.rank1' has sha256"));
}

TEST_F(ExecutorTest, AnEmptyDirectoryIsNotFound) {
  Result<std::unique_ptr<Executor>> executor = Executor::Create(directory_.path(), engine_);
  ASSERT_FALSE(executor);
  EXPECT_EQ(executor.error().code, Code::kNotFound);
  EXPECT_EQ(executor.error().message,
            "'" + directory_.path().string() + "' has neither plan.json nor model.onnx");
}

TEST_F(ExecutorTest, ALoneModelRunsAsOneRank) {
  directory_.Write("model.onnx", "");
  FakeEngine engine({{"a", DType::kFloat32, {kDynamic}}}, {{"b", DType::kFloat32, {2}}});
  engine.step = [](const engine::Step& step) { return Fill(step, 0, 0, {2}, 7); };
  Result<std::unique_ptr<Executor>> executor = Executor::Create(directory_.path(), engine);
  ASSERT_TRUE(executor) << executor.error().message;
  EXPECT_EQ((*executor)->plan().strategy, "single");
  EXPECT_EQ((*executor)->plan().engine, "fake");
  EXPECT_EQ((*executor)->inputs(), (std::vector<TensorSpec>{{"a", DType::kFloat32, {kDynamic}}}));
  ASSERT_TRUE(Infer(**executor));
  EXPECT_EQ(target_.kept[0].values, (std::vector<float>{7, 7}));
}

}  // namespace
}  // namespace tessera::exec

// Requests that are started and answered later, on an engine that takes several at a time.
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <numeric>
#include <thread>

#include "tessera/base/mutex.h"
#include "tessera/exec/executor.h"
#include "tessera/exec/testing/asked.h"
#include "tessera/exec/testing/pipelined_engine.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

class ExecutorStart : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    engine_.step = AddOne;
    directory_.Write("model.onnx", "");
    Make({});
  }

  void Make(const Options& options) {
    Result<std::unique_ptr<Executor>> made = Executor::Create(directory_.path(), engine_, options);
    ASSERT_TRUE(made) << made.error().message;
    executor_ = *std::move(made);
  }

  PlanDirectory directory_;
  PipelinedEngine engine_{GetParam(), {{"x", DType::kFloat32, {1}}}, {{"y", DType::kFloat32, {1}}}};
  std::unique_ptr<Executor> executor_;
};

TEST_P(ExecutorStart, AnswersInOrderEachWithItsOwn) {
  EXPECT_EQ(executor_->steps_in_flight(), GetParam());
  std::vector<int> order;  // of the one thread that answers
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < 500; ++i) {
    asked.push_back(std::make_unique<Asked>(static_cast<float>(i)));
    executor_->Start(asked.back()->inputs(), asked.back()->target,
                     [&order, i, self = asked.back().get()](Result<InferReport> report) {
                       order.push_back(i);
                       self->answer.set_value(std::move(report));
                     });
  }
  for (size_t i = 0; i < asked.size(); ++i) {
    ASSERT_TRUE(asked[i]->ready.get());
    EXPECT_EQ(asked[i]->target.kept[0].values, std::vector<float>{static_cast<float>(i) + 1});
  }
  std::vector<int> in_order(asked.size());
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(order, in_order);  // whoever answers writes to it no more
}

TEST_P(ExecutorStart, BlocksOnlyWhileAsManyAreInFlightAsMayBe) {
  std::promise<void> go_on;
  std::shared_future<void> may_run = go_on.get_future().share();
  engine_.step = [may_run](const engine::Step& step) {
    may_run.wait();
    return AddOne(step);
  };
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < GetParam(); ++i) {  // none of these blocks
    asked.push_back(std::make_unique<Asked>(0.F));
    asked.back()->Start(*executor_);
  }
  std::atomic<bool> running{false};
  std::promise<bool> started_after;
  std::thread late([&] {
    Asked one_more(0);
    one_more.Start(*executor_);
    started_after.set_value(running);
    EXPECT_TRUE(one_more.ready.get());
  });
  EXPECT_EQ(asked.front()->ready.wait_for(std::chrono::milliseconds(5)), std::future_status::timeout);
  running = true;
  go_on.set_value();
  for (const auto& one : asked) EXPECT_TRUE(one->ready.get());
  EXPECT_TRUE(started_after.get_future().get());
  late.join();
}

TEST_P(ExecutorStart, AFailureFailsAllThatAreInFlightAndTheNextIsAnswered) {
  std::promise<void> go_on;
  std::shared_future<void> may_run = go_on.get_future().share();
  std::atomic<bool> failed{false};
  engine_.step = [may_run, &failed](const engine::Step& step) -> Result<void> {
    may_run.wait();
    if (failed.exchange(true)) return AddOne(step);
    return Fail(Code::kPeerLost, "rank 1 is gone");
  };
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < GetParam(); ++i) {
    asked.push_back(std::make_unique<Asked>(0.F));
    asked.back()->Start(*executor_);
  }
  go_on.set_value();
  Asked next(4);
  next.Start(*executor_);
  for (const auto& one : asked) EXPECT_EQ(one->ready.get().error().code, Code::kPeerLost);
  ASSERT_TRUE(next.ready.get());
  EXPECT_EQ(next.target.kept[0].values, std::vector<float>{5});
  EXPECT_EQ(engine_.loads, 2);
}

TEST_P(ExecutorStart, ARequestThatDoesNotFitIsAnsweredAtOnce) {
  const float x = 0;
  KeepingTarget target;
  const TensorView view{DType::kInt32, {1}, HostRegion(std::as_bytes(std::span(&x, 1)))};
  bool answered = false;
  executor_->Start(std::span(&view, 1), target, [&](const Result<InferReport>& report) {
    answered = true;
    EXPECT_EQ(report.error().code, Code::kInvalidArgument);
  });
  EXPECT_TRUE(answered);
}

TEST_P(ExecutorStart, TheEndOfTheExecutorWaitsForWhatWasStarted) {
  std::latch inside(1);
  std::atomic<bool> destroyed{false};
  engine_.step = [&inside](const engine::Step& step) {
    inside.count_down();
    return AddOne(step);
  };
  Asked asked(1);
  executor_->Start(asked.inputs(), asked.target, [&](Result<InferReport> report) {
    EXPECT_FALSE(destroyed);
    asked.answer.set_value(std::move(report));
  });
  inside.wait();
  executor_.reset();
  destroyed = true;
  EXPECT_TRUE(asked.ready.get());
}

// As with a driver that hangs: the thread that waits for the step is in it for good.
TEST_P(ExecutorStart, AStepThatNeverEndsIsAnsweredAndTheNextRequestWorks) {
  engine_.grace = std::chrono::milliseconds(50);
  Options options;
  options.step_limit = std::chrono::milliseconds(50);
  Make(options);
  const int loads = engine_.loads;
  std::promise<void> go_on;
  std::shared_future<void> may_end = go_on.get_future().share();
  std::atomic<int> inside{0};
  engine_.step = [may_end, &inside](const engine::Step& step) -> Result<void> {
    if (inside++ > 0) return AddOne(step);
    may_end.wait();
    --inside;
    return {};
  };
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < GetParam(); ++i) {
    asked.push_back(std::make_unique<Asked>(0.F));
    asked.back()->Start(*executor_);
  }
  for (const auto& one : asked) EXPECT_EQ(one->ready.get().error().code, Code::kDeadline);
  Result<InferReport> answer = Fail(Code::kInternal, "not asked");
  const Deadline soon = Deadline::In(std::chrono::minutes(1));
  while (!answer && !soon.passed()) {  // a slow machine may be late for such a limit
    Asked next(4);
    next.Start(*executor_);
    answer = next.ready.get();
    if (!answer) continue;
    EXPECT_EQ(next.target.kept[0].values, std::vector<float>{5});
  }
  EXPECT_TRUE(answer) << answer.error().message;
  EXPECT_GT(engine_.loads, loads);
  EXPECT_GT(inside, 1);
  executor_.reset();  // with the thread still in its step
  inside = 1;
  go_on.set_value();
  while (inside > 0) std::this_thread::yield();
}

TEST_P(ExecutorStart, ManyThreadsStartAndInferWhileRanksFailNowAndThen) {
  std::atomic<int> steps{0};
  engine_.step = [&](const engine::Step& step) -> Result<void> {
    if (++steps % 50 == 0) return Fail(Code::kInternal, "now and then");
    return AddOne(step);
  };
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        Asked asked(static_cast<float>(t * 1000 + i));
        if (t == 0) {
          asked.answer.set_value(executor_->Infer(asked.inputs(), asked.target, Deadline::Never()));
        } else {
          asked.Start(*executor_);
        }
        if (!asked.ready.get()) continue;
        ASSERT_EQ(asked.target.kept[0].values, std::vector<float>{asked.x + 1});
        ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(right, 1000);
  EXPECT_GT(engine_.loads, 10);
}

INSTANTIATE_TEST_SUITE_P(Most, ExecutorStart, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace tessera::exec

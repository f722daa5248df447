// Threads that hang in an engine, as in a driver's call that does not return: others go on without them, and
// what they use is there when they come back.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tessera/exec/executor.h"
#include "tessera/exec/testing/asked.h"
#include "tessera/exec/testing/pipelined_engine.h"
#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A place where the first who comes hangs until it is let go.
class Trap {
 public:
  // True: it has hung.
  bool Pass() {
    if (!set_.exchange(false)) return false;
    hanging_.set_value();
    let_go_.wait();
    ++out;
    return true;
  }
  void Set() { set_ = true; }
  void AwaitVictim() { hanging_.get_future().wait(); }
  void LetGo() { may_go_.set_value(); }

  std::atomic<int> out{0};

 private:
  std::atomic<bool> set_{false};
  std::promise<void> hanging_;
  std::promise<void> may_go_;
  std::shared_future<void> let_go_ = may_go_.get_future().share();
};

class ExecutorHang : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_->step = AddOne;
    engine_->issue = [trap = trap_] { (void)trap->Pass(); };
    directory_.Write("model.onnx", "");
    options_.step_limit = milliseconds(100);
    options_.hang_grace = milliseconds(300);  // more than a slow machine keeps a thread waiting
    options_.end_limit = milliseconds(100);
    Result<std::unique_ptr<Executor>> made = Executor::Create(directory_.path(), engine_, options_);
    ASSERT_TRUE(made) << made.error().message;
    executor_ = *std::move(made);
  }

  // Until it goes well: on a slow machine a step may be late for such limits.
  void ExpectAnswers() {
    const Deadline soon = Deadline::In(std::chrono::minutes(1));
    while (!soon.passed()) {
      Asked next(4);
      next.Start(*executor_);
      if (const Result<InferReport> answer = next.ready.get(); !answer) continue;
      EXPECT_EQ(next.y(), 5);
      return;
    }
    ADD_FAILURE() << "no request is answered";
  }

  PlanDirectory directory_;
  Options options_;
  const std::shared_ptr<Trap> trap_ = std::make_shared<Trap>();
  std::shared_ptr<PipelinedEngine> engine_ =
      std::make_shared<PipelinedEngine>(2, std::vector<TensorSpec>{{"x", DType::kFloat32, {1}}},
                                        std::vector<TensorSpec>{{"y", DType::kFloat32, {1}}});
  std::unique_ptr<Executor> executor_;
};

TEST_F(ExecutorHang, AStepThatHangsWhileItIsIssuedHoldsNobodyElseUp) {
  const int loads = engine_->loads;
  Asked hung(1);
  trap_->Set();
  hung.Start(*executor_);  // returns
  trap_->AwaitVictim();
  ExpectAnswers();
  EXPECT_GT(engine_->loads, loads);
  EXPECT_EQ(hung.ready.wait_for(milliseconds(0)), std::future_status::timeout);

  executor_.reset();  // it hangs on: all that it uses is there when it comes back
  trap_->LetGo();
  EXPECT_FALSE(hung.ready.get());
}

TEST_F(ExecutorHang, AThreadThatComesBackInTimeIsNotGivenUp) {
  options_.hang_grace = seconds(600);
  options_.step_limit = seconds(600);
  executor_ = Executor::Create(directory_.path(), engine_, options_).value();
  const int loads = engine_->loads;
  Asked late(1);
  trap_->Set();
  late.Start(*executor_);
  trap_->AwaitVictim();
  trap_->LetGo();
  EXPECT_TRUE(late.ready.get());
  EXPECT_EQ(late.y(), 2);
  EXPECT_EQ(engine_->loads, loads);
}

TEST_F(ExecutorHang, StepsInFlightAreToldWhenOneBehindThemHangs) {
  Trap running;
  running.Set();
  engine_->grace = milliseconds(100);
  engine_->step = [&running](const engine::Step& step) {
    return running.Pass() ? Result<void>() : AddOne(step);
  };
  executor_ = Executor::Create(directory_.path(), engine_, options_).value();
  Asked in_flight(1);
  in_flight.Start(*executor_);
  running.AwaitVictim();
  trap_->Set();
  Asked hung(2);
  hung.Start(*executor_);
  EXPECT_FALSE(in_flight.ready.get());
  ExpectAnswers();
  executor_.reset();
  running.LetGo();
  trap_->LetGo();
  EXPECT_FALSE(hung.ready.get());
  while (running.out == 0) std::this_thread::yield();
}

TEST_F(ExecutorHang, ACallerThatHangsHoldsNoOtherUp) {
  Asked hung(1);
  trap_->Set();
  std::thread caller([&] {
    hung.answer.set_value(executor_->Infer(hung.inputs(), hung.target, Deadline::In(milliseconds(50))));
  });
  trap_->AwaitVictim();
  Asked other(4);
  Result<InferReport> answer = Fail(Code::kInternal, "not asked");
  const Deadline soon = Deadline::In(std::chrono::minutes(1));
  while (!answer && !soon.passed()) {
    answer = executor_->Infer(other.inputs(), other.target, Deadline::In(milliseconds(200)));
  }
  EXPECT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(other.y(), 5);
  executor_.reset();
  trap_->LetGo();
  caller.join();
  EXPECT_FALSE(hung.ready.get());
}

// A reload that hangs: the engine's Load does not return.
class HungReload : public ExecutorHang {
 protected:
  void LoseTheRanks() {
    engine_->load = [trap = reload_] { (void)trap->Pass(); };
    reload_->Set();
    engine_->step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); };
    Asked asked(1);
    asked.Start(*executor_);
    EXPECT_FALSE(asked.ready.get());
    reload_->AwaitVictim();
  }

  const std::shared_ptr<Trap> reload_ = std::make_shared<Trap>();
};

TEST_F(HungReload, RequestsAreAnsweredAndThoseBehindTheFirstAtOnce) {
  LoseTheRanks();
  const auto start = Deadline::Clock::now();
  for (int i = 0; i < 50; ++i) {
    Asked asked(1);
    asked.Start(*executor_);
    const Result<InferReport> answer = asked.ready.get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::kDeadline);
    EXPECT_EQ(answer.error().message, "the ranks are still being loaded anew");
  }
  EXPECT_LT(Deadline::Clock::now() - start, 25 * options_.step_limit);
  reload_->LetGo();
}

TEST_F(HungReload, AnotherIsMadeWhenItIsGivenUp) {
  options_.load_limit = milliseconds(100);
  executor_ = Executor::Create(directory_.path(), engine_, options_).value();
  const FakeStep works = engine_->step;
  LoseTheRanks();
  engine_->step = works;
  ExpectAnswers();
  executor_.reset();
  const int loads = engine_->loads;
  reload_->LetGo();
  while (reload_->out == 0) std::this_thread::yield();
  EXPECT_EQ(engine_->loads, loads);
}

TEST_F(HungReload, AModelWhoseLoadHangsIsRefused) {
  options_.load_limit = milliseconds(50);
  engine_->load = [trap = reload_] { (void)trap->Pass(); };
  reload_->Set();
  const auto refused = Executor::Create(directory_.path(), engine_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDeadline);
  reload_->LetGo();
  while (reload_->out == 0) std::this_thread::yield();
}

// A server that ends while a step hangs: the step fails at its limit, and the model goes.
TEST_F(HungReload, AModelThatGoesIsNotLoadedAnew) {
  options_.end_limit = seconds(1);
  auto ends = std::make_shared<Trap>();
  engine_->end = [ends] { (void)ends->Pass(); };
  executor_ = Executor::Create(directory_.path(), engine_, options_).value();
  const int loads = engine_->loads;
  ends->Set();
  engine_->step = [](const engine::Step&) -> Result<void> { return Fail(Code::kInternal, "broken"); };
  Asked asked(1);
  asked.Start(*executor_);
  EXPECT_FALSE(asked.ready.get());
  ends->AwaitVictim();  // the keeper drops the ranks
  executor_.reset();
  ends->LetGo();
  const std::weak_ptr<PipelinedEngine> engine = engine_;
  EXPECT_EQ(engine_->loads, loads);
  engine_.reset();
  while (!engine.expired()) std::this_thread::yield();  // its thread has left
}

TEST_F(HungReload, AnExecutorThatEndsWhileAStepRunsDoesNotWaitForAReload) {
  auto running = std::make_shared<Trap>();
  engine_->step = [running](const engine::Step&) -> Result<void> {
    (void)running->Pass();
    return Fail(Code::kInternal, "broken");
  };
  engine_->load = [trap = reload_] { (void)trap->Pass(); };
  running->Set();
  reload_->Set();
  Asked asked(1);
  asked.Start(*executor_);
  running->AwaitVictim();
  std::future<void> gone = std::async(std::launch::async, [this] { executor_.reset(); });
  running->LetGo();
  EXPECT_FALSE(asked.ready.get());
  EXPECT_EQ(gone.wait_for(seconds(10)), std::future_status::ready);
  reload_->LetGo();  // if it came so far
}

TEST_F(HungReload, TheEndOfTheExecutorDoesNotWaitForIt) {
  std::atomic<int> lost{0};
  options_.on_ready = [&lost](bool ready) { lost += ready ? -1 : 1; };
  executor_ = Executor::Create(directory_.path(), engine_, options_).value();
  LoseTheRanks();
  EXPECT_EQ(lost, 1);
  executor_.reset();
  EXPECT_EQ(lost, 0);
  const std::weak_ptr<PipelinedEngine> engine = engine_;
  engine_.reset();
  EXPECT_FALSE(engine.expired());  // the load's
  EXPECT_EQ(reload_->out, 0);
  reload_->LetGo();
  while (!engine.expired()) std::this_thread::yield();
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace tessera::exec

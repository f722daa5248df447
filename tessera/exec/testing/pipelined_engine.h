// An engine for tests whose groups take several steps at a time, and end them one after the other in a
// thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/engine/step_ends.h"
#include "tessera/exec/testing/fake_engine.h"

namespace tessera::exec {

// A step runs - the test says how - when it is the oldest. An error that is no kInvalidArgument fails this
// one and all behind it.
class PipelinedSteps final : public engine::IssuedSteps {
 public:
  PipelinedSteps(size_t most, FakeStep run) : steps(most), run_(std::move(run)) {}

  Result<void> Await(size_t slot, Deadline /*deadline*/) override {
    if (!usable) return Fail(Code::kPeerLost, "a step before has failed");
    Result<void> ran = run_(*steps[slot]);
    if (!ran && ran.error().code != Code::kInvalidArgument) usable = false;
    return ran;
  }
  Result<engine::StepReport> Collect(size_t /*slot*/) override {
    return engine::StepReport{{std::chrono::nanoseconds(1)}};
  }
  void Abort(const Error& /*reason*/) noexcept override { usable = false; }

  std::vector<const engine::Step*> steps;  // [slot]
  std::atomic<bool> usable{true};

 private:
  const FakeStep run_;
};

class PipelinedGroup final : public engine::RankGroup {
 public:
  PipelinedGroup(int most, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs, FakeStep step,
                 std::chrono::milliseconds grace, std::function<void()> issue, std::function<void()> end)
      : most_(most),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        issue_(std::move(issue)),
        end_(std::move(end)),
        steps_(std::make_shared<PipelinedSteps>(static_cast<size_t>(most), std::move(step))),
        ends_(engine::StepEnds::Create(steps_, static_cast<size_t>(most), grace).value()) {}

  ~PipelinedGroup() override { end_(); }
  int world_size() const override { return 1; }
  int steps_in_flight() const override { return most_; }
  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  void Submit(const engine::Step& step, Completion done) override {
    const size_t slot = ends_->in_flight().AwaitSlot();
    engine::StepQueue::Flight flight{slot, step.deadline, step.deadline.left(), std::move(done)};
    steps_->steps[flight.slot] = &step;
    issue_();
    if (steps_->usable && ends_->in_flight().Push(flight)) return;
    flight.done(Fail(Code::kPeerLost, "the ranks have failed"));
  }

  void Abort(const Error& reason) noexcept override { steps_->Abort(reason); }
  bool usable() const noexcept override { return steps_->usable; }

 private:
  const int most_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
  const std::function<void()> issue_;
  const std::function<void()> end_;
  const std::shared_ptr<PipelinedSteps> steps_;
  const std::unique_ptr<engine::StepEnds> ends_;
};

class PipelinedEngine final : public engine::Engine {
 public:
  PipelinedEngine(int most, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs)
      : most_(most), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  std::string_view name() const override { return "pipelined"; }
  Result<std::unique_ptr<engine::RankGroup>> Load(const plan::Plan&, const std::filesystem::path&,
                                                  Deadline) override {
    ++loads;
    load();
    return std::make_unique<PipelinedGroup>(
        most_, inputs_, outputs_, [this](const engine::Step& taken) { return step(taken); }, grace, issue,
        end);
  }

  FakeStep step = [](const engine::Step&) { return Result<void>(); };
  std::function<void()> issue = [] {};      // called while a step of a group loaded from then on is issued
  std::function<void()> end = [] {};        // by the destructor of such a group
  std::function<void()> load = [] {};       // by Load
  std::chrono::milliseconds grace{10'000};  // for a step behind its deadline
  std::atomic<int> loads{0};

 private:
  const int most_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
};

}  // namespace tessera::exec

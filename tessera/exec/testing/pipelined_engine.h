// An engine for tests whose groups take several steps at a time, and end them one after the other in a
// thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tessera/engine/step_queue.h"
#include "tessera/exec/testing/fake_engine.h"

namespace tessera::exec {

// A step runs - the test says how - when it is the oldest. An error that is no kInvalidArgument fails this
// one and all behind it.
class PipelinedGroup final : public engine::RankGroup {
 public:
  PipelinedGroup(int most, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs, FakeStep step)
      : most_(most), inputs_(std::move(inputs)), outputs_(std::move(outputs)), step_(std::move(step)) {
    finishing_ = std::thread([this] { Finish(); });
  }
  ~PipelinedGroup() override {
    in_flight_.Stop();
    finishing_.join();
  }

  int world_size() const override { return 1; }
  int steps_in_flight() const override { return most_; }
  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  void Submit(const engine::Step& step, Completion done) override {
    if (!usable_) return done(Fail(Code::kPeerLost, "the ranks have failed"));
    const size_t slot = in_flight_.AwaitSlot();
    steps_[slot] = &step;
    in_flight_.Push({slot, step.deadline, engine::StepQueue::Duration::max(), std::move(done)});
  }

  void Abort(const Error& /*reason*/) noexcept override { usable_ = false; }
  bool usable() const noexcept override { return usable_; }

 private:
  void Finish() {
    while (const auto oldest = in_flight_.AwaitOldest()) {
      Result<void> ran = Fail(Code::kPeerLost, "a step before has failed");
      if (usable_) ran = step_(*steps_[oldest->slot]);
      if (!ran && ran.error().code != Code::kInvalidArgument) usable_ = false;
      const Completion done = in_flight_.Pop();
      if (ran) {
        done(engine::StepReport{{std::chrono::nanoseconds(1)}});
      } else {
        done(Forward(std::move(ran)));
      }
    }
  }

  const int most_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
  const FakeStep step_;
  std::atomic<bool> usable_{true};
  engine::StepQueue in_flight_{static_cast<size_t>(most_)};
  std::vector<const engine::Step*> steps_ = std::vector<const engine::Step*>(static_cast<size_t>(most_));
  std::thread finishing_;
};

class PipelinedEngine final : public engine::Engine {
 public:
  PipelinedEngine(int most, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs)
      : most_(most), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  std::string_view name() const override { return "pipelined"; }
  Result<std::unique_ptr<engine::RankGroup>> Load(const plan::Plan&, const std::filesystem::path&,
                                                  Deadline) override {
    ++loads;
    return std::make_unique<PipelinedGroup>(most_, inputs_, outputs_,
                                            [this](const engine::Step& taken) { return step(taken); });
  }

  FakeStep step = [](const engine::Step&) { return Result<void>(); };
  std::atomic<int> loads{0};

 private:
  const int most_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
};

}  // namespace tessera::exec

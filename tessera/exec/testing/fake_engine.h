// An engine for tests: its groups do what the test says, without ranks, threads or files.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/engine/rank_group.h"

namespace tessera::exec {

// What a fake group does with a step; it may fill the sink, block, or fail.
using FakeStep = std::function<Result<void>(const engine::Step&)>;

class FakeRankGroup final : public engine::RankGroup {
 public:
  FakeRankGroup(int ranks, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs, FakeStep step,
                std::vector<Shape> usual_inputs = {})
      : ranks_(ranks),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        step_(std::move(step)),
        usual_inputs_(std::move(usual_inputs)) {}

  int world_size() const override { return ranks_; }
  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  std::vector<Shape> usual_inputs() const override { return usual_inputs_; }

  void Submit(const engine::Step& step, Completion done) override {
    Result<void> ran = step_(step);
    usable_ = ran.has_value() || ran.error().code == Code::kInvalidArgument;
    if (!ran) return done(Forward(std::move(ran)));
    done(engine::StepReport{std::vector<std::chrono::nanoseconds>(static_cast<size_t>(ranks_))});
  }

  void Abort(const Error& /*reason*/) noexcept override { usable_ = false; }
  bool usable() const noexcept override { return usable_; }

 private:
  int ranks_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  FakeStep step_;
  std::vector<Shape> usual_inputs_;
  std::atomic<bool> usable_{true};
};

class FakeEngine final : public engine::Engine {
 public:
  FakeEngine(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  std::string_view name() const override { return "fake"; }

  Result<std::unique_ptr<engine::RankGroup>> Load(const plan::Plan& plan,
                                                  const std::filesystem::path& /*directory*/,
                                                  Deadline /*deadline*/) override {
    const int load = loads++;
    if (before_load) TRY(before_load(load));
    return std::make_unique<FakeRankGroup>(plan.world_size(), inputs_, outputs_,
                                           [this](const engine::Step& taken) { return step(taken); });
  }

  FakeStep step = [](const engine::Step&) { return Result<void>(); };
  std::function<Result<void>(int load)> before_load;  // from 0; an error is the load's
  std::atomic<int> loads{0};

 private:
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

}  // namespace tessera::exec

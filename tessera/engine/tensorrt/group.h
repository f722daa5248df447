// The RankGroup of TensorRT engines.
#pragma once

#include <condition_variable>
#include <memory>
#include <thread>

#include "tessera/base/mutex.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {

class TensorRtGroup final : public RankGroup {
 public:
  static Result<std::unique_ptr<TensorRtGroup>> Create(std::unique_ptr<RankSet> ranks);
  ~TensorRtGroup() override;

  int world_size() const override { return ranks_->world_size(); }
  const std::vector<TensorSpec>& inputs() const override { return ranks_->inputs(); }
  const std::vector<TensorSpec>& outputs() const override { return ranks_->outputs(); }
  std::vector<Shape> largest_inputs() const override { return ranks_->LargestInputs(); }
  std::vector<Shape> usual_inputs() const override { return ranks_->UsualInputs(); }
  void Submit(const Step& step, Completion done) override;
  Result<StepReport> Run(const Step& step) override;
  void Abort(const Error& reason) noexcept override { ranks_->Abort(reason); }
  const StepTimes& times() const { return ranks_->times(); }
  bool usable() const noexcept override { return !ranks_->failure().has_value(); }

 private:
  explicit TensorRtGroup(std::unique_ptr<RankSet> ranks) : ranks_(std::move(ranks)) {}
  void Serve();

  struct Order {
    const Step* step;
    Completion done;
  };
  const std::unique_ptr<RankSet> ranks_;
  Mutex mutex_;
  std::condition_variable changed_;
  std::optional<Order> order_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  Mutex step_mutex_;    // one step at a time, whether by Submit or by Run
  std::thread thread_;  // runs what Submit brings
};

}  // namespace tessera::engine

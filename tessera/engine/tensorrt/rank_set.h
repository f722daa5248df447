// All ranks of a model, run in step with each other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/completion.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/host_stage.h"
#include "tessera/engine/tensorrt/options.h"
#include "tessera/engine/tensorrt/rank_runner.h"
#include "tessera/engine/tensorrt/rank_threads.h"
#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {

// Runs steps one at a time in the calling thread. The first step of a shape is run by the ranks' threads and captured;
// later ones are launched, for all ranks, by the caller.
class RankSet {
 public:
  static Result<std::unique_ptr<RankSet>> Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<comm::NcclGroup> group,
                                                 std::unique_ptr<RankThreads> threads, const TensorRtOptions& options);
  ~RankSet();

  int world_size() const { return static_cast<int>(runners_.size()); }
  const EngineTensors& tensors() const { return runners_.front()->engine().tensors(); }

  // Runs once, on zeros, every shape that a profile was optimised for.
  Result<void> WarmUp(Deadline deadline);

  // As RankGroup::Run; not at the same time from two threads.
  Result<StepReport> Run(const Step& step);

  void Abort(const Error& reason) noexcept;
  // The reason why no further step can run.
  std::optional<Error> failure() const;

 private:
  using Places = std::vector<std::vector<Region>>;  // [rank][output]; no data: not wanted

  RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<comm::NcclGroup> group,
          std::unique_ptr<RankThreads> threads, const TensorRtOptions& options, StepCompletion completion);

  // rank_set_plan.cc: plans.
  Result<int> CommonProfile(const StepShape& shape) const;
  std::shared_ptr<StepPlan> FindPlan(const StepShape& shape);
  Result<std::shared_ptr<StepPlan>> MakePlan(StepShape shape, int profile, const Step* step, Deadline deadline);
  Result<void> EnsureInputs(const StepShape& shape);
  Result<void> WarmPlan(const std::shared_ptr<StepPlan>& plan, Deadline deadline);
  Result<void> CapturePlan(const std::shared_ptr<StepPlan>& plan, Deadline deadline);
  void KeepPlan(std::shared_ptr<StepPlan> plan);

  // rank_set.cc: steps.
  Result<void> RunPlan(const std::shared_ptr<StepPlan>& plan, const Step& step);
  Result<void> Stage(const StepPlan& plan, const Step& step);
  Result<Places> Place(const Step& step, const std::vector<std::vector<Shape>>& shapes) const;
  Result<void> LaunchAll(const std::shared_ptr<StepPlan>& plan, Deadline deadline);
  Result<std::vector<std::vector<Shape>>> FinalShapes(const StepPlan& plan, Deadline deadline);
  Result<void> Collect(const Places& places);
  Result<void> Check() const;
  Result<StepReport> Report() const;
  void Fatal(const Error& reason);

  const TensorRtOptions options_;
  const std::shared_ptr<comm::NcclGroup> group_;  // null: one rank
  const std::vector<std::shared_ptr<RankRunner>> runners_;
  std::vector<const cuda::Stream*> streams_;
  HostStage host_;
  StepCompletion completion_;
  std::vector<std::shared_ptr<StepPlan>> plans_;  // most recently used first; their graphs go before the communicator
  mutable Mutex mutex_;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  const std::unique_ptr<RankThreads> threads_;  // last: joined first
};

}  // namespace tessera::engine

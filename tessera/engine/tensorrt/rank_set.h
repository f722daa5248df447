// All ranks of a model, run in step with each other.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/launch_team.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/tensorrt/completion.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/options.h"
#include "tessera/engine/tensorrt/plan_cache.h"
#include "tessera/engine/tensorrt/rank_runner.h"
#include "tessera/engine/tensorrt/rank_threads.h"
#include "tessera/engine/tensorrt/step_times.h"
#include "tessera/engine/tensorrt/transfer.h"

namespace tessera::engine {

// Runs steps one at a time, in the calling thread. The first step of a shape is run by the ranks' threads and
// captured; later ones are launched, for all ranks, by the caller and helpers that are awake.
class RankSet {
 public:
  static Result<std::unique_ptr<RankSet>> Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<Peers> peers,
                                                 std::unique_ptr<RankThreads> threads,
                                                 const TensorRtOptions& options);
  ~RankSet();

  int world_size() const { return static_cast<int>(runners_.size()); }
  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }

  // As RankGroup::largest_inputs, of all ranks.
  std::vector<Shape> LargestInputs() const;
  // As RankGroup::usual_inputs, of the first profile.
  std::vector<Shape> UsualInputs() const;

  // Runs, on zeros, the shapes that each profile was optimised for, so that the first requests find kernels
  // loaded.
  Result<void> WarmUp(Deadline deadline);

  // As RankGroup::Run; not at the same time from two threads.
  Result<StepReport> Run(const Step& step);

  // Of the last Run that succeeded. Not while one runs.
  const StepTimes& times() const { return times_; }

  // Any thread.
  void Abort(const Error& reason) noexcept;
  // The reason why no further step can run.
  std::optional<Error> failure() const;

 private:
  using Graphs = std::vector<cuda::Graph>;
  RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<Peers> peers,
          std::unique_ptr<RankThreads> threads, std::unique_ptr<LaunchTeam> launchers,
          const TensorRtOptions& options, StepCompletion completion);

  // rank_set_plan.cc
  Result<int> CommonProfile(const StepShape& shape) const;
  Result<void> CheckShapes(const StepShape& shape, int profile);
  Result<std::shared_ptr<StepPlan>> MakePlan(StepShape shape, int profile, const Step* step,
                                             Deadline deadline);
  Result<void> MakeRoom(const StepShape& shape);
  Result<void> RunFirst(const std::shared_ptr<StepPlan>& plan, const StepAddresses& at, Deadline deadline);
  std::optional<Graphs> Capture(const std::shared_ptr<StepPlan>& plan, Deadline deadline);
  Result<const Graphs*> PickGraphs(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                   const Places& places);
  Result<const CapturedStep*> CaptureDirect(const std::shared_ptr<StepPlan>& plan, const Step& step);

  // rank_set.cc
  template <class Data>
  Result<void> MakeHostRoom(const Data& data);
  Result<std::shared_ptr<StepPlan>> PlanOf(const Step& step);
  Result<StepReport> RunKnown(const std::shared_ptr<StepPlan>& plan, const Step& step);
  Result<StepReport> RunDynamic(const std::shared_ptr<StepPlan>& plan, const Step& step);
  Result<void> Launch(const std::shared_ptr<StepPlan>& plan, const Graphs& graphs, Deadline deadline);
  Result<void> FetchAndWait(const Places& places, Deadline deadline);
  Result<void> EndAndWait(Deadline deadline);
  Result<StepReport> Report();
  void Lap(std::chrono::nanoseconds& time);
  Result<void> CheckAlive() const;
  tl::unexpected<Error> Fatal(const Error& reason);

  const TensorRtOptions options_;
  const std::shared_ptr<Peers> peers_;  // null: one rank
  const std::vector<std::shared_ptr<RankRunner>> runners_;
  std::vector<const cuda::Stream*> streams_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  const InputRules rules_;
  const StepAddresses own_buffers_;  // no memory of requests'
  StepAddresses at_;                 // of the step in hand; kept for its memory
  StepTimes times_;
  std::chrono::steady_clock::time_point lap_;
  StepTransfer transfer_;
  StepCompletion completion_;
  PlanCache plans_;  // graphs with collectives inside: they go before the runners and the communicators
  mutable Mutex mutex_;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  // Last: their threads end first.
  const std::unique_ptr<RankThreads> threads_;
  const std::unique_ptr<LaunchTeam> launchers_;
};

}  // namespace tessera::engine

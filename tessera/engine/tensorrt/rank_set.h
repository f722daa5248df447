// All ranks of a model, run in step with each other.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/launch_team.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/step_ends.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/options.h"
#include "tessera/engine/tensorrt/plan_cache.h"
#include "tessera/engine/tensorrt/rank_runner.h"
#include "tessera/engine/tensorrt/rank_threads.h"
#include "tessera/engine/tensorrt/step_slot.h"

namespace tessera::engine {

// Issues steps, and waits for their ends. The first step of a shape is run by the ranks' threads and
// captured; later ones are launched, for all ranks, by the caller and helpers that are awake. Issue and Run
// are called by one thread at a time, Await and Collect by one at a time, which may be another.
class RankSet final : public IssuedSteps {
 public:
  static Result<std::unique_ptr<RankSet>> Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<Peers> peers,
                                                 std::unique_ptr<RankThreads> threads,
                                                 const GatherSizes& gather, const TensorRtOptions& options);
  ~RankSet() override;
  RankSet(const RankSet&) = delete;
  RankSet& operator=(const RankSet&) = delete;

  int world_size() const { return static_cast<int>(runners_.size()); }
  int slot_count() const { return static_cast<int>(slots_.size()); }
  DeviceId first_device() const { return runners_.front()->stream().device(); }
  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }

  // As RankGroup::largest_inputs, of all ranks.
  std::vector<Shape> LargestInputs() const;
  // As RankGroup::usual_inputs, of the first profile.
  std::vector<Shape> UsualInputs() const;

  // Runs, on zeros, the shapes that each profile was optimised for, so that the first requests find kernels
  // loaded.
  Result<void> WarmUp(Deadline deadline);

  // As RankGroup::Run, with no step in flight in `others`.
  Result<StepReport> Run(const Step& step, StepQueue& others);

  // Issues a step in a slot that no step in flight has. Without a report it is in flight, to be ended by
  // Await and Collect; with one it is over: it needed the GPUs for itself, as `others` were waited for. So
  // they are when memory or graphs have to be made. Errors as those of RankGroup::Submit: the step is over;
  // after one that makes the ranks unusable no step is in flight.
  Result<std::optional<StepReport>> Issue(const Step& step, size_t slot, StepQueue& others);
  Result<void> Await(size_t slot, Deadline deadline) override;
  Result<StepReport> Collect(size_t slot) override;

  // How long a step that was issued has.
  Deadline deadline_of(size_t slot) const { return slots_[slot]->deadline; }
  StepQueue::Duration limit_of(size_t slot) const { return slots_[slot]->limit; }

  // Of the last Run that succeeded. Not while one runs.
  const StepTimes& times() const { return slots_.front()->times; }

  // Any thread.
  void Abort(const Error& reason) noexcept override;
  // The reason why no further step can run.
  std::optional<Error> failure() const;

 private:
  RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<Peers> peers,
          std::unique_ptr<RankThreads> threads, std::unique_ptr<LaunchTeam> launchers,
          const GatherSizes& gather, const TensorRtOptions& options);

  // rank_set_plan.cc
  Result<int> CommonProfile(const StepShape& shape) const;
  Result<void> CheckShapes(const StepShape& shape, int profile);
  Result<void> MakePlan(const std::shared_ptr<StepPlan>& plan, const Step* step, StepSlot& slot);
  Result<void> MakeRoom(const StepShape& shape);
  Result<void> BindAll(const std::shared_ptr<StepPlan>& plan, const StepAddresses& at, StepSlot& slot);
  Result<void> BindRanks(const std::shared_ptr<StepPlan>& plan, const StepAddresses& at, StepSlot& slot);
  void DropBuffers();
  Result<void> RunFirst(const std::shared_ptr<StepPlan>& plan, StepSlot& slot);
  std::optional<SlotGraphs> Capture(const std::shared_ptr<StepPlan>& plan, Deadline deadline);
  Result<const SlotGraphs*> PickGraphs(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                       const Places& places, StepSlot& slot, StepQueue& others);
  Result<const CapturedStep*> CaptureDirect(const std::shared_ptr<StepPlan>& plan, const Step& step,
                                            StepSlot& slot);

  // rank_set_issue.cc
  // Where these fail another model's work has kept the step out; nothing of it is issued.
  Result<DeviceOrder::Turn> TakeTurn(StepSlot& slot, bool alone) const;
  static Result<std::unique_lock<DeviceOrder::Issuing>> TakeQuiet(StepSlot& slot);
  using MaybeOver = Result<std::optional<StepReport>>;
  Result<std::shared_ptr<StepPlan>> PlanOf(const Step& step, StepSlot& slot, StepQueue& others);
  MaybeOver IssueKnown(const std::shared_ptr<StepPlan>& plan, const Step& step, StepSlot& slot,
                       StepQueue& others);
  Result<void> Send(const std::shared_ptr<StepPlan>& plan, const Step& step, const Places& places,
                    StepSlot& slot, StepQueue& others);
  Result<StepReport> RunDynamic(const std::shared_ptr<StepPlan>& plan, const Step& step, StepSlot& slot,
                                StepQueue& others);
  void DropOutgrown(Deadline deadline);
  Result<void> Launch(const std::shared_ptr<StepPlan>& plan, const SlotGraphs& graphs, StepSlot& slot);
  Result<void> BeAlone(StepSlot& slot, StepQueue& others) const;
  template <class Data>
  Result<void> MakeHostRoom(const Data& data, StepSlot& slot, StepQueue& others) const;
  Result<bool> MayGoBeside(const StepPlan& plan, const Step& step, const Places& places, StepSlot& slot,
                           StepQueue& others);

  // rank_set.cc
  Result<void> MakeSlots();
  std::vector<const cuda::Stream*> AllStreams() const;
  Result<StepReport> Finish(size_t slot, Deadline deadline);
  Result<void> EndAndWait(StepSlot& slot);
  Result<void> Wait(const StepSlot& slot, Deadline deadline) const;
  Result<StepReport> Report(StepSlot& slot) const;
  Result<void> CheckAlive() const;
  void Drain(const Error& reason);
  void DropPlans();
  tl::unexpected<Error> Failed(const Error& reason);
  tl::unexpected<Error> Fatal(const Error& reason, StepQueue& others);
  tl::unexpected<Error> NotIssued(const Error& reason, const StepSlot& slot, StepQueue& others);

  const TensorRtOptions options_;
  const std::shared_ptr<Peers> peers_;  // null: one rank
  const std::vector<std::shared_ptr<RankRunner>> runners_;
  std::vector<const cuda::Stream*> streams_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  const InputRules rules_;
  const StepAddresses own_buffers_;  // no memory of requests'
  std::vector<std::unique_ptr<StepSlot>> slots_;
  bool beside_ = true;  // copies run while other steps compute, as far as the GPUs have memory for that
  PlanCache plans_;     // graphs with collectives inside: they go before the runners and the communicators
  mutable Mutex mutex_;
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::optional<Deadline> drained_by_ GUARDED_BY(mutex_);
  // Last: their threads end first.
  const std::unique_ptr<RankThreads> threads_;
  const std::unique_ptr<LaunchTeam> launchers_;
};

}  // namespace tessera::engine

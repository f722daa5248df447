// The RankGroup of TensorRT engines.
#pragma once

#include <memory>
#include <thread>

#include "tessera/base/mutex.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/step_queue.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {

// Steps are issued in the caller's thread. Run waits there as well; the ends of submitted ones are seen to by
// a thread of the group, for life: it wakes while the GPUs work, so its wake-up costs a step nothing.
class TensorRtGroup final : public RankGroup {
 public:
  static Result<std::unique_ptr<TensorRtGroup>> Create(std::unique_ptr<RankSet> ranks);
  // Leaves a thread that is stuck in CUDA behind, with all that it may touch and a line in the log; the steps
  // in flight are never told to be done then.
  ~TensorRtGroup() override;

  int world_size() const override { return ranks().world_size(); }
  const std::vector<TensorSpec>& inputs() const override { return ranks().inputs(); }
  const std::vector<TensorSpec>& outputs() const override { return ranks().outputs(); }
  std::vector<Shape> largest_inputs() const override { return ranks().LargestInputs(); }
  std::vector<Shape> usual_inputs() const override { return ranks().UsualInputs(); }
  int steps_in_flight() const override { return ranks().slot_count(); }
  void Submit(const Step& step, Completion done) override;
  Result<StepReport> Run(const Step& step) override;
  void Abort(const Error& reason) noexcept override { ranks().Abort(reason); }
  const StepTimes& times() const { return ranks().times(); }
  bool usable() const noexcept override { return !ranks().failure().has_value(); }

 private:
  // Shared with the thread. The ranks go last.
  struct Core {
    explicit Core(std::unique_ptr<RankSet> made)
        : ranks(std::move(made)), in_flight(static_cast<size_t>(ranks->slot_count())) {}
    const std::unique_ptr<RankSet> ranks;
    StepQueue in_flight;
  };

  explicit TensorRtGroup(std::unique_ptr<RankSet> ranks) : core_(std::make_shared<Core>(std::move(ranks))) {}
  static void Finish(const std::shared_ptr<Core>& core);
  RankSet& ranks() const { return *core_->ranks; }
  // Else CUDA would make a context on GPU 0 for a thread that never used another.
  Result<cuda::DeviceGuard> EnterFirst() const { return cuda::DeviceGuard::Enter(ranks().first_device()); }

  const std::shared_ptr<Core> core_;
  Mutex issuing_;  // one thread issues at a time, and no other step starts while one Runs
  std::thread finishing_;
};

}  // namespace tessera::engine

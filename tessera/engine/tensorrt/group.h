// The RankGroup of TensorRT engines.
#pragma once

#include <memory>

#include "tessera/base/mutex.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/step_ends.h"
#include "tessera/engine/tensorrt/rank_set.h"

namespace tessera::engine {

// Steps are issued in the caller's thread. Run waits there as well; the ends of submitted ones are seen to by
// a thread of the group, for life: it wakes while the GPUs work, so its wake-up costs a step nothing.
class TensorRtGroup final : public RankGroup {
 public:
  static Result<std::unique_ptr<TensorRtGroup>> Create(std::shared_ptr<RankSet> ranks);

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
  explicit TensorRtGroup(std::shared_ptr<RankSet> ranks) : ranks_(std::move(ranks)) {}
  RankSet& ranks() const { return *ranks_; }
  // Else CUDA would make a context on GPU 0 for a thread that never used another.
  Result<cuda::DeviceGuard> EnterFirst() const { return cuda::DeviceGuard::Enter(ranks().first_device()); }

  const std::shared_ptr<RankSet> ranks_;  // with the thread, which may be left behind
  Mutex issuing_;  // one thread issues at a time, and no other step starts while one Runs
  std::unique_ptr<StepEnds> ends_;
};

}  // namespace tessera::engine

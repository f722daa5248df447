#include "tessera/engine/tensorrt/group.h"

#include <cuda_runtime_api.h>

#include <utility>

#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {
namespace {

// A failed step is drained for this long at most; the rest is for seeing the failure and telling of it.
constexpr auto kLeaveLimit = kDrainLimit + std::chrono::seconds(2);

}  // namespace

Result<std::unique_ptr<TensorRtGroup>> TensorRtGroup::Create(std::shared_ptr<RankSet> ranks) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(ranks->first_device()));
  const auto slots = static_cast<size_t>(ranks->slot_count());
  // Else CUDA would make a context on GPU 0. A failure shows in the first step as well.
  auto enter = [device = ranks->first_device()] { (void)cudaSetDevice(device.value()); };
  std::unique_ptr<TensorRtGroup> group(new TensorRtGroup(std::move(ranks)));
  TRY_ASSIGN(group->ends_, StepEnds::Create(group->ranks_, slots, kLeaveLimit, enter));
  return group;
}

void TensorRtGroup::Submit(const Step& step, Completion done) {
  StepQueue::Flight flight;
  flight.done = std::move(done);
  auto issue = [&]() -> Result<std::optional<StepReport>> {
    MutexLock lock(issuing_);
    StepQueue& in_flight = ends_->in_flight();
    flight.slot = in_flight.AwaitSlot();
    TRY_ASSIGN(cuda::DeviceGuard guard, EnterFirst());
    TRY_ASSIGN(std::optional<StepReport> report, ranks().Issue(step, flight.slot, in_flight));
    if (report) return report;
    flight.deadline = ranks().deadline_of(flight.slot);
    flight.limit = ranks().limit_of(flight.slot);
    if (in_flight.Push(flight)) return std::nullopt;
    return tl::unexpected<Error>(*ranks().failure());  // given up meanwhile
  };
  auto caught = [&]() -> Result<std::optional<StepReport>> {
    try {
      return issue();
    } catch (const std::exception& error) {  // no memory: the ranks are in doubt
      ranks().Abort(Error{Code::kUnavailable, error.what(), -1, __FILE__, __LINE__});
      return tl::unexpected<Error>(*ranks().failure());
    }
  };
  Result<std::optional<StepReport>> over = caught();
  if (!over) return flight.done(Forward(std::move(over)));
  if (*over) flight.done(**std::move(over));
}

Result<StepReport> TensorRtGroup::Run(const Step& step) {
  MutexLock lock(issuing_);
  TRY(ends_->in_flight().AwaitIdle(step.deadline));
  TRY_ASSIGN(cuda::DeviceGuard guard, EnterFirst());
  return ranks().Run(step, ends_->in_flight());
}

std::optional<StepTimes> LastStepTimes(const RankGroup& group) {
  const auto* ours = dynamic_cast<const TensorRtGroup*>(&group);
  return ours == nullptr ? std::nullopt : std::optional(ours->times());
}

}  // namespace tessera::engine

#include "tessera/engine/tensorrt/group.h"

#include <cuda_runtime_api.h>

#include <utility>

#include "tessera/base/cores.h"
#include "tessera/base/log.h"
#include "tessera/base/unfinished.h"
#include "tessera/engine/named_thread.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {
namespace {

// A failed step is drained for this long at most; the rest is for seeing the failure and telling of it.
constexpr auto kLeaveLimit = kDrainLimit + std::chrono::seconds(2);

// The thread that sees to the ends spins for the next step before it sleeps: a wake-up may take longer than a
// small step. A server needs less than that from an answer to the next step.
constexpr std::chrono::microseconds kAwakeFor{300};
constexpr int kCoresToSpin = 4;  // on fewer it would be in the others' way

}  // namespace

Result<std::unique_ptr<TensorRtGroup>> TensorRtGroup::Create(std::unique_ptr<RankSet> ranks) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(ranks->first_device()));
  std::unique_ptr<TensorRtGroup> group(new TensorRtGroup(std::move(ranks)));
  TRY_ASSIGN(group->finishing_, StartNamedThread("tessera-finish", [core = group->core_] { Finish(core); }));
  return group;
}

TensorRtGroup::~TensorRtGroup() {
  if (!finishing_.joinable()) return;
  StepQueue& in_flight = core_->in_flight;
  if (!in_flight.idle()) {
    ranks().Abort(Error{Code::kCancelled, "the model is being unloaded", -1, __FILE__, __LINE__});
  }
  in_flight.Stop();
  if (in_flight.AwaitLeft(Deadline::In(kLeaveLimit))) {
    finishing_.join();
    return;
  }
  in_flight.Abandon();
  TESSERA_LOG(kError, "the thread that waits for a model's steps is stuck and is left behind");
  finishing_.detach();
}

void TensorRtGroup::Submit(const Step& step, Completion done) {
  Result<std::optional<StepReport>> over = [&]() -> Result<std::optional<StepReport>> {
    MutexLock lock(issuing_);
    StepQueue& in_flight = core_->in_flight;
    const size_t slot = in_flight.AwaitSlot();
    TRY_ASSIGN(cuda::DeviceGuard guard, EnterFirst());
    TRY_ASSIGN(std::optional<StepReport> report, ranks().Issue(step, slot, in_flight));
    if (report) return report;
    in_flight.Push({slot, ranks().deadline_of(slot), ranks().limit_of(slot), std::move(done)});
    return std::nullopt;
  }();
  if (!over) return done(Forward(std::move(over)));
  if (*over) done(**std::move(over));
}

Result<StepReport> TensorRtGroup::Run(const Step& step) {
  MutexLock lock(issuing_);
  TRY_ASSIGN(cuda::DeviceGuard guard, EnterFirst());
  return ranks().Run(step, core_->in_flight);
}

void TensorRtGroup::Finish(const std::shared_ptr<Core>& core) {
  const Unfinished may_hang;
  // Else CUDA would make a context on GPU 0. A failure shows in the first step as well.
  (void)cudaSetDevice(core->ranks->first_device().value());
  const StepQueue::Duration awake_for = UsableCores() >= kCoresToSpin ? kAwakeFor : StepQueue::Duration{0};
  while (const std::optional<StepQueue::Oldest> oldest = core->in_flight.AwaitOldest(awake_for)) {
    Result<StepReport> report = core->ranks->Finish(oldest->slot, oldest->deadline);
    if (const Completion done = core->in_flight.Pop()) done(std::move(report));
  }
  core->in_flight.Leave();
}

std::optional<StepTimes> LastStepTimes(const RankGroup& group) {
  const auto* ours = dynamic_cast<const TensorRtGroup*>(&group);
  return ours == nullptr ? std::nullopt : std::optional(ours->times());
}

}  // namespace tessera::engine

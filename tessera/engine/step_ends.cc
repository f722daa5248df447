#include "tessera/engine/step_ends.h"

#include <chrono>
#include <utility>

#include "tessera/base/cores.h"
#include "tessera/base/log.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"

namespace tessera::engine {

Result<std::unique_ptr<StepEnds>> StepEnds::Create(std::shared_ptr<IssuedSteps> steps, size_t slots,
                                                   StepQueue::Duration grace, std::function<void()> prepare) {
  auto shared = std::make_shared<Shared>(std::move(steps), slots, grace);
  TRY_ASSIGN(shared->watchdog, Watchdog::Create([shared = shared.get()] {
               shared->GiveUp(Error{Code::kDeadline,
                                    "the step did not end in its time, and the device's driver hangs", -1,
                                    __FILE__, __LINE__});
             }));
  std::unique_ptr<StepEnds> ends(new StepEnds(shared));
  auto live = [shared, prepare = std::move(prepare)] {
    const Unfinished may_hang;
    if (prepare) prepare();
    SeeToThem(*shared);
  };
  TRY_ASSIGN(ends->thread_, StartNamedThread("tessera-finish", std::move(live)));
  return ends;
}

StepEnds::~StepEnds() {
  if (!thread_.joinable()) return;
  StepQueue& in_flight = shared_->in_flight;
  const Error reason{Code::kCancelled, "the model is being unloaded", -1, __FILE__, __LINE__};
  if (!in_flight.idle()) shared_->steps->Abort(reason);
  in_flight.Stop();
  if (in_flight.AwaitLeft(Deadline::In(shared_->grace))) {
    thread_.join();
    return;
  }
  TESSERA_LOG(kError, "the thread that waits for a model's steps is stuck and is left behind");
  shared_->GiveUp(reason);
  thread_.detach();
}

// The thread that hangs may come back: it finds nothing left to do, and does not touch the steps' memory.
void StepEnds::Shared::GiveUp(const Error& reason) {
  steps->Abort(reason);  // first: whoever finds room for a step now finds out
  const std::vector<StepQueue::Flight> given_up = in_flight.GiveUp();
  TESSERA_LOG(kError, "a model's ranks are given up with {} steps in flight: {}", given_up.size(),
              reason.message);
  for (const StepQueue::Flight& flight : given_up) flight.done(tl::unexpected<Error>(reason));
}

// Not watched while it collects: what a step is collected to is its request's, who must not be answered then.
void StepEnds::Finish(Shared& shared, const StepQueue::Oldest& oldest) {
  const Deadline most = oldest.deadline.Later(shared.grace);
  shared.watchdog->Arm(most);
  Result<void> ended = shared.steps->Await(oldest.slot, oldest.deadline);
  shared.watchdog->Disarm();
  if (shared.in_flight.given_up()) return;  // what the step would be collected to may be gone
  Result<StepReport> report =
      ended ? shared.steps->Collect(oldest.slot) : Result<StepReport>(Forward(std::move(ended)));
  shared.watchdog->Arm(most);
  if (const RankGroup::Completion done = shared.in_flight.Pop()) done(std::move(report));
  shared.watchdog->Disarm();
}

void StepEnds::SeeToThem(Shared& shared) {
  StepQueue& in_flight = shared.in_flight;
  const StepQueue::Duration awake_for = AwakeBetweenSteps();
  while (const std::optional<StepQueue::Oldest> oldest = in_flight.AwaitOldest(awake_for)) {
    Finish(shared, *oldest);
  }
  in_flight.Leave();
}

}  // namespace tessera::engine

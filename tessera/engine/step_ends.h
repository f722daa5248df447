// The thread that sees to the ends of a group's steps in flight, and what becomes of them if it hangs.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/step_queue.h"
#include "tessera/engine/watchdog.h"

namespace tessera::engine {

// The steps that an adapter has issued, by their slots.
class IssuedSteps {
 public:
  virtual ~IssuedSteps() = default;
  // Blocks until the step in `slot` has ended, not much longer than until `deadline` unless its device's
  // driver hangs. After an error none of its work is left.
  virtual Result<void> Await(size_t slot, Deadline deadline) = 0;
  // Brings what a step that has ended well leaves to where it is wanted. Waits for no device.
  virtual Result<StepReport> Collect(size_t slot) = 0;
  // As RankGroup::Abort.
  virtual void Abort(const Error& reason) noexcept = 0;
};

// A step that does not end, because a call of its device's driver does not return, cannot be helped. Whoever
// asked for it is told all the same, and for those behind it: none waits for ever, nor does the owner. So
// they are where telling of a step does not end.
class StepEnds {
 public:
  // `grace`: how long behind a step's deadline Await may take. The thread runs `prepare` first.
  static Result<std::unique_ptr<StepEnds>> Create(std::shared_ptr<IssuedSteps> steps, size_t slots,
                                                  StepQueue::Duration grace,
                                                  std::function<void()> prepare = {});
  // Aborts what is in flight and waits for it, `grace` at most: a thread that hangs is left behind with all
  // that it may touch, and a line in the log.
  ~StepEnds();
  StepEnds(const StepEnds&) = delete;
  StepEnds& operator=(const StepEnds&) = delete;

  StepQueue& in_flight() { return shared_->in_flight; }

 private:
  // With the threads. The watchdog's ends first.
  struct Shared {
    Shared(std::shared_ptr<IssuedSteps> issued, size_t slots, StepQueue::Duration limit)
        : steps(std::move(issued)), grace(limit), in_flight(slots) {}
    void GiveUp(const Error& reason);
    const std::shared_ptr<IssuedSteps> steps;
    const StepQueue::Duration grace;
    StepQueue in_flight;
    std::unique_ptr<Watchdog> watchdog;
  };

  explicit StepEnds(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  static void Finish(Shared& shared, const StepQueue::Oldest& oldest);
  static void SeeToThem(Shared& shared);

  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace tessera::engine

// The steps of a group that are in flight: what the thread that issues them and the one that sees them end
// share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <optional>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// Steps end in the order in which they were issued; each has one of a few slots meanwhile (memory, events,
// whatever its adapter keeps for a step). One thread issues at a time, and one sees to the ends.
class StepQueue {
 public:
  using Duration = Deadline::Clock::duration;

  struct Flight {
    size_t slot = 0;
    Deadline deadline = Deadline::Never();
    Duration limit{0};  // its time if it has to wait for the one before
    RankGroup::Completion done;
  };

  explicit StepQueue(size_t slots);

  // For the thread that issues. --

  bool idle() EXCLUDES(mutex_);
  // Blocks until there is a slot that no step in flight has.
  size_t AwaitSlot() EXCLUDES(mutex_);
  // Blocks until no step is in flight. Errors: kDeadline.
  Result<void> AwaitIdle(Deadline deadline) EXCLUDES(mutex_);
  // The step in the slot that AwaitSlot gave is in flight. False: GiveUp was called, `flight` is as it was.
  [[nodiscard]] bool Push(Flight& flight) EXCLUDES(mutex_);

  // For the thread that sees to the ends. --

  // What is to be waited for next, and how long.
  struct Oldest {
    size_t slot;
    Deadline deadline;
  };
  // Blocks until a step is in flight; nullopt: Stop was called and none is. Looks for `awake_for` all the
  // time, then sleeps.
  std::optional<Oldest> AwaitOldest(Duration awake_for = Duration{0}) EXCLUDES(mutex_);
  // The oldest step has ended, its slot is free. Returns what is to be called; nothing after GiveUp.
  RankGroup::Completion Pop() EXCLUDES(mutex_);
  // That thread touches nothing of this any more.
  void Leave() EXCLUDES(mutex_);

  // For the owner. --

  void Stop() EXCLUDES(mutex_);
  // True: the thread that sees to the ends has left.
  bool AwaitLeft(Deadline deadline) EXCLUDES(mutex_);

  // Any thread. --

  // Nobody waits for the ends any more: returns the steps in flight, whose `done` is to be called. None is in
  // flight from now on.
  std::vector<Flight> GiveUp() EXCLUDES(mutex_);
  bool given_up() EXCLUDES(mutex_);

 private:
  const size_t slots_;
  Mutex mutex_;
  std::atomic<bool> waking_{false};                 // a step is in flight, or Stop was called
  std::condition_variable pushed_;                  // or stopped
  std::condition_variable ended_;                   // or left
  std::vector<Flight> flights_ GUARDED_BY(mutex_);  // has room: a step that was issued must not be lost
  size_t next_ GUARDED_BY(mutex_) = 0;              // slots go round: the oldest step's is free first
  bool behind_ GUARDED_BY(mutex_) = false;          // the oldest step had to wait for another
  bool stop_ GUARDED_BY(mutex_) = false;
  bool left_ GUARDED_BY(mutex_) = false;
  bool given_up_ GUARDED_BY(mutex_) = false;
};

}  // namespace tessera::engine

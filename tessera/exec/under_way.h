// The requests that use an executor's ranks: how many may at a time, and when the ranks may be loaded anew.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"

namespace tessera::exec {

// A request uses the ranks while a thread issues its step, and until it is answered: from Begin to Left and
// Issued, whichever is later. It is in flight - its step is - from Begin to Ended. Ranks that failed are not
// used by requests that come later, and are given up when nobody uses them any more.
class UnderWay {
 public:
  // What one request has of the ranks. Guarded by the mutex of this.
  class Use {
    friend class UnderWay;
    bool in_flight = false;
    bool issuing = false;
    bool unanswered = false;
  };

  // Steps in flight: at most `most`. `give_up` is called under this mutex, and must not block nor call back.
  UnderWay(int most, std::function<void()> give_up);

  // Blocks until the ranks may be used. One caller at a time. Errors: kDeadline. Where steps are issued while
  // others run it looks for a while before it sleeps: a thread takes as long to wake as a small step to run.
  Result<void> Begin(Use& use, Deadline deadline) EXCLUDES(mutex_);
  struct End {
    bool given_up = false;  // by GiveUp: the ranks are not this request's any more, nor is what follows them
    bool first_loss = false;  // the first one to tell that the ranks are not usable
  };
  End Ended(Use& use, const engine::RankGroup& ranks) EXCLUDES(mutex_);
  // The answer is given: nothing of the ranks is used for it afterwards.
  void Left(Use& use) EXCLUDES(mutex_);
  // The thread that issued the step has come back from the ranks.
  void Issued(Use& use) EXCLUDES(mutex_);
  // No step came of it.
  void Cancel(Use& use) EXCLUDES(mutex_);
  // The thread that issues the step hangs, and keeps what it uses alive by itself: the ranks are lost, and
  // nobody waits for that request. A step that has ended is still answered.
  void GiveUp(Use& use) EXCLUDES(mutex_);
  // Blocks until nobody uses the ranks.
  void AwaitNone() EXCLUDES(mutex_);

  // How long threads on the way of steps look for the next one before they sleep.
  std::chrono::microseconds awake_for() const { return awake_for_; }

 private:
  bool Land(Use& use, bool usable) REQUIRES(mutex_);
  void Release(bool& held, const Use& use) REQUIRES(mutex_);
  void Tell() REQUIRES(mutex_);

  const int most_;
  const std::chrono::microseconds awake_for_;
  const std::function<void()> give_up_;
  Mutex mutex_;
  std::atomic<bool> full_{false};  // Begin would sleep
  std::condition_variable changed_;
  int in_flight_ GUARDED_BY(mutex_) = 0;
  int users_ GUARDED_BY(mutex_) = 0;
  bool lost_ GUARDED_BY(mutex_) = false;
};

}  // namespace tessera::exec

// The requests that use an executor's ranks: how many may at a time, and when the ranks may be loaded anew.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"

namespace tessera::exec {

// A request uses the ranks from Begin to Left, and is in flight - its step is - from Begin to Ended. Ranks
// that failed are not used by requests that come later, and are given up when the last one has Left.
class UnderWay {
 public:
  // Steps in flight: at most `most`. `give_up` is called under this mutex, and must not block nor call back.
  UnderWay(int most, std::function<void()> give_up);

  // Blocks until the ranks may be used. One caller at a time. Errors: kDeadline. Where steps are issued while
  // others run it looks for a while before it sleeps: a thread takes as long to wake as a small step to run.
  Result<void> Begin(Deadline deadline) EXCLUDES(mutex_);
  // True: this one is the first to tell that they are not usable.
  bool Ended(bool usable) EXCLUDES(mutex_);
  // Nothing of the ranks is used afterwards.
  void Left() EXCLUDES(mutex_);
  // Blocks until every request has Left.
  void AwaitNone() EXCLUDES(mutex_);

 private:
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

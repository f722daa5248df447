// A lock, exclusive or shared, that is waited for until a deadline.
#pragma once

#include <chrono>
#include <condition_variable>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"

namespace tessera {

// For std::unique_lock and std::shared_lock; as std::shared_timed_mutex, whose timed calls ThreadSanitizer
// does not know (pthread_mutex_clocklock and its like), so that it takes what they guard for unguarded.
// Sharers that overlap keep an exclusive one waiting.
class TimedSharedMutex {
 public:
  using TimePoint = Deadline::Clock::time_point;

  void lock() EXCLUDES(mutex_) { (void)try_lock_until(TimePoint::max()); }
  bool try_lock() EXCLUDES(mutex_) { return try_lock_until(TimePoint::min()); }
  bool try_lock_until(TimePoint until) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (exclusive_ || sharers_ > 0) {
      if (!WaitOn(lock, until)) return false;
    }
    exclusive_ = true;
    return true;
  }
  void unlock() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    exclusive_ = false;
    if (waiting_ > 0) free_.notify_all();
  }

  void lock_shared() EXCLUDES(mutex_) { (void)try_lock_shared_until(TimePoint::max()); }
  bool try_lock_shared() EXCLUDES(mutex_) { return try_lock_shared_until(TimePoint::min()); }
  bool try_lock_shared_until(TimePoint until) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (exclusive_) {
      if (!WaitOn(lock, until)) return false;
    }
    ++sharers_;
    return true;
  }
  void unlock_shared() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (--sharers_ == 0 && waiting_ > 0) free_.notify_all();
  }

 private:
  // False: the time is over.
  bool WaitOn(MutexLock& lock, TimePoint until) REQUIRES(mutex_) {
    const Deadline deadline = until == TimePoint::max() ? Deadline::Never() : Deadline::At(until);
    if (deadline.passed()) return false;
    ++waiting_;
    lock.Wait(free_, deadline);
    --waiting_;
    return true;
  }

  Mutex mutex_;
  std::condition_variable free_;
  bool exclusive_ GUARDED_BY(mutex_) = false;
  int sharers_ GUARDED_BY(mutex_) = 0;
  int waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tessera

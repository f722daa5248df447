#include "tessera/exec/under_way.h"

#include <utility>

namespace tessera::exec {

Result<void> UnderWay::Begin(Deadline deadline) {
  MutexLock lock(mutex_);
  while (in_flight_ >= most_ || lost_) {
    if (deadline.passed()) {
      return Fail(Code::kDeadline, "waited for {} requests before this one until its deadline passed",
                  users_);
    }
    if (deadline.never()) {
      changed_.wait(lock.std_lock());
    } else {
      changed_.wait_until(lock.std_lock(), deadline.at());
    }
  }
  ++in_flight_;
  ++users_;
  return {};
}

bool UnderWay::Ended(bool usable) {
  MutexLock lock(mutex_);
  --in_flight_;
  changed_.notify_all();
  return !usable && !std::exchange(lost_, true);
}

void UnderWay::Left() {
  MutexLock lock(mutex_);
  if (--users_ == 0 && std::exchange(lost_, false)) give_up_();
  changed_.notify_all();
}

void UnderWay::AwaitNone() {
  MutexLock lock(mutex_);
  changed_.wait(lock.std_lock(), [this]() NO_THREAD_SAFETY_ANALYSIS { return users_ == 0; });
}

}  // namespace tessera::exec

#include "tessera/engine/watchdog.h"

#include "tessera/base/named_thread.h"

namespace tessera::engine {

Result<std::unique_ptr<Watchdog>> Watchdog::Create(std::function<void()> expire) {
  std::unique_ptr<Watchdog> watchdog(new Watchdog(std::move(expire)));
  TRY_ASSIGN(watchdog->thread_,
             StartNamedThread("tessera-watch", [self = watchdog.get()] { self->Watch(); }));
  return watchdog;
}

Watchdog::~Watchdog() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::Arm(Deadline deadline) {
  bool sooner = false;
  {
    MutexLock lock(mutex_);
    deadline_ = deadline;
    sooner = deadline.at() < asleep_until_.at();
  }
  if (sooner) changed_.notify_one();
}

void Watchdog::Disarm() {
  MutexLock lock(mutex_);
  deadline_ = Deadline::Never();
}

void Watchdog::Watch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (deadline_.passed()) {
      deadline_ = Deadline::Never();
      expire_();  // under the lock: so Disarm cannot return in the middle of it
      continue;
    }
    asleep_until_ = deadline_;
    lock.Wait(changed_, deadline_);
  }
}

}  // namespace tessera::engine

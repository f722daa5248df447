// Notices steps that may hang.
#pragma once

#include <memory>

#include "tessera/base/mutex.h"
#include "tessera/base/unfinished.h"
#include "tessera/engine/watchdog.h"

namespace tessera::triton {

// A step that takes longer than kSlow may hang. By now the server itself may have begun what would wait for
// it at the exit: CUDA, when a client shared its GPU memory. Any threads; steps end in the order in which
// they began.
class StepWatch {
 public:
  static constexpr std::chrono::seconds kSlow{1};

  static Result<StepWatch> Create() {
    StepWatch watch;
    TRY_ASSIGN(watch.watchdog_, engine::Watchdog::Create(ExitDespiteSlowStep));
    return watch;
  }

  void Begin() {
    MutexLock lock(*mutex_);
    if (++under_way_ == 1) watchdog_->Arm(Deadline::In(kSlow));
  }
  // The next one's time is counted from now.
  void End() {
    MutexLock lock(*mutex_);
    if (--under_way_ == 0) return watchdog_->Disarm();
    watchdog_->Arm(Deadline::In(kSlow));
  }

 private:
  StepWatch() = default;
  std::unique_ptr<engine::Watchdog> watchdog_;
  std::unique_ptr<Mutex> mutex_ = std::make_unique<Mutex>();
  int under_way_ = 0;
};

}  // namespace tessera::triton

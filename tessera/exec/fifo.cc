#include "tessera/exec/fifo.h"

#include "tessera/base/spin.h"

namespace tessera::exec {

Result<Fifo::Turn> Fifo::Enter(Deadline deadline) {
  std::list<Waiter>::iterator self;
  {
    MutexLock lock(mutex_);
    if (!std::exchange(taken_, true)) return Turn(*this);
    self = waiting_.emplace(waiting_.end());
  }
  if (awake_for_.count() > 0) (void)SpinUntil([&] { return self->has_turn.load(); }, awake_for_);
  MutexLock lock(mutex_);
  while (!self->has_turn && !deadline.passed()) lock.Wait(self->called, deadline);
  const bool has_turn = self->has_turn;
  waiting_.erase(self);
  if (has_turn) return Turn(*this);
  return Fail(Code::kDeadline, "waited for {} requests before this one until its deadline passed",
              waiting_.size() + 1);
}

void Fifo::Leave() {
  MutexLock lock(mutex_);
  for (Waiter& waiter : waiting_) {
    if (waiter.has_turn) continue;
    waiter.has_turn = true;
    waiter.called.notify_one();
    return;
  }
  taken_ = false;
}

}  // namespace tessera::exec

#include "tessera/exec/fifo.h"

namespace tessera::exec {

Result<Fifo::Turn> Fifo::Enter(Deadline deadline) {
  MutexLock lock(mutex_);
  if (!taken_) {
    taken_ = true;
    return Turn(*this);
  }
  const auto self = waiting_.emplace(waiting_.end());
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

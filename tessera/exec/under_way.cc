#include "tessera/exec/under_way.h"

#include <utility>

#include "tessera/base/cores.h"
#include "tessera/base/spin.h"

namespace tessera::exec {

UnderWay::UnderWay(int most, std::function<void()> give_up)
    : most_(most),
      awake_for_(most > 1 ? AwakeBetweenSteps() : std::chrono::microseconds(0)),
      give_up_(std::move(give_up)) {}

void UnderWay::Tell() {
  full_.store(in_flight_ >= most_ || lost_, std::memory_order_release);
  changed_.notify_all();
}

Result<void> UnderWay::Begin(Use& use, Deadline deadline) {
  (void)SpinUntil([this] { return !full_.load(std::memory_order_acquire); }, awake_for_);
  MutexLock lock(mutex_);
  while (in_flight_ >= most_ || lost_) {
    if (deadline.passed()) {
      return Fail(Code::kDeadline, "waited for {} requests before this one until its deadline passed",
                  users_);
    }
    lock.Wait(changed_, deadline);
  }
  ++in_flight_;
  ++users_;
  use.in_flight = use.issuing = use.unanswered = true;
  full_.store(in_flight_ >= most_, std::memory_order_relaxed);
  return {};
}

// True: the first one that finds the ranks lost.
bool UnderWay::Land(Use& use, bool usable) {
  use.in_flight = false;
  --in_flight_;
  const bool first_loss = !usable && !std::exchange(lost_, true);
  Tell();
  return first_loss;
}

void UnderWay::Release(bool& held, const Use& use) {
  if (!std::exchange(held, false) || use.issuing || use.unanswered) return;
  if (--users_ == 0 && std::exchange(lost_, false)) give_up_();
  Tell();
}

UnderWay::End UnderWay::Ended(Use& use, const engine::RankGroup& ranks) {
  MutexLock lock(mutex_);
  if (!use.in_flight) return {.given_up = true};
  return {.first_loss = Land(use, ranks.usable())};
}

void UnderWay::Left(Use& use) {
  MutexLock lock(mutex_);
  Release(use.unanswered, use);
}

void UnderWay::Issued(Use& use) {
  MutexLock lock(mutex_);
  Release(use.issuing, use);
}

void UnderWay::Cancel(Use& use) {
  MutexLock lock(mutex_);
  (void)Land(use, true);
  use.issuing = false;
  Release(use.unanswered, use);
}

void UnderWay::GiveUp(Use& use) {
  MutexLock lock(mutex_);
  lost_ = true;
  if (use.in_flight) {
    (void)Land(use, false);
    use.unanswered = false;
  }
  Release(use.issuing, use);
}

void UnderWay::AwaitNone() {
  MutexLock lock(mutex_);
  while (users_ != 0) lock.Wait(changed_);
}

}  // namespace tessera::exec

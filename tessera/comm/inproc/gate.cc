#include "tessera/comm/inproc/gate.h"

#include "tessera/base/spin.h"
#include "tessera/comm/inproc/futex.h"

namespace tessera::comm {
namespace {

constexpr uint32_t kClosed = 1;
constexpr uint32_t kOneRound = 2;

// Looks at the word this often before it sleeps, as std::atomic::wait does: ranks with equal work come
// together, and sleeping costs more than that. More looks were slower as soon as cores were short
// (docs/benchmarks/comm.md).
constexpr int kLooks = 16;

bool SameRound(uint32_t a, uint32_t b) {
  return (a | kClosed) == (b | kClosed);
}

}  // namespace

Result<void> Gate::Pass(Deadline deadline, const std::function<Error()>& late) {
  uint32_t before = round_.load(std::memory_order_acquire);
  if ((before & kClosed) != 0) return Refuse();
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) % ranks_ == ranks_ - 1) {
    if (!round_.compare_exchange_strong(before, before + kOneRound))
      return Refuse();  // only Close comes between
    if (sleepers_.load() > 0) FutexWakeAll(round_);
    return {};
  }
  if (!Wait(before, deadline)) CloseLate(before, late);
  if (SameRound(before, round_.load(std::memory_order_acquire))) return Refuse();
  return {};
}

bool Gate::Wait(uint32_t before, Deadline deadline) {
  for (int look = 0; look < kLooks; ++look) {
    if (round_.load(std::memory_order_acquire) != before) return true;
    Pause();
  }
  // Sequentially consistent with the last rank's "new round, then any sleepers?": one of the two sees the
  // other.
  sleepers_.fetch_add(1);
  bool in_time = true;
  while (in_time && round_.load() == before) in_time = FutexWait(round_, before, deadline);
  sleepers_.fetch_sub(1);
  return in_time;
}

void Gate::CloseLate(uint32_t before, const std::function<Error()>& late) {
  Error reason = late();
  MutexLock lock(mutex_);
  if (!round_.compare_exchange_strong(before, before | kClosed)) return;
  reason_ = std::move(reason);
  FutexWakeAll(round_);
}

void Gate::Close(const Error& reason) noexcept {
  MutexLock lock(mutex_);
  if (reason_) return;
  reason_ = reason;
  round_.fetch_or(kClosed);
  FutexWakeAll(round_);
}

tl::unexpected<Error> Gate::Refuse() {
  MutexLock lock(mutex_);
  return tl::unexpected<Error>(*reason_);
}

}  // namespace tessera::comm

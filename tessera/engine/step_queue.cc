#include "tessera/engine/step_queue.h"

#include <utility>

#include "tessera/base/spin.h"

namespace tessera::engine {

StepQueue::StepQueue(size_t slots) : slots_(slots) {
  MutexLock lock(mutex_);
  flights_.reserve(slots);
}

bool StepQueue::idle() {
  MutexLock lock(mutex_);
  return flights_.empty();
}

size_t StepQueue::AwaitSlot() {
  MutexLock lock(mutex_);
  while (flights_.size() == slots_) lock.Wait(ended_);
  return next_;
}

Result<void> StepQueue::AwaitIdle(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!flights_.empty() && !deadline.passed()) lock.Wait(ended_, deadline);
  if (flights_.empty()) return {};
  return Fail(Code::kDeadline, "waited for {} steps before this one until its deadline passed",
              flights_.size());
}

bool StepQueue::Push(Flight& flight) {
  MutexLock lock(mutex_);
  if (given_up_) return false;
  if (flights_.empty()) behind_ = false;
  flights_.push_back(std::move(flight));
  waking_.store(true, std::memory_order_release);
  next_ = (next_ + 1) % slots_;
  pushed_.notify_one();
  return true;
}

std::optional<StepQueue::Oldest> StepQueue::AwaitOldest(Duration awake_for) {
  (void)SpinUntil([this] { return waking_.load(std::memory_order_acquire); }, awake_for);
  MutexLock lock(mutex_);
  while (!stop_ && flights_.empty()) lock.Wait(pushed_);
  if (flights_.empty()) return std::nullopt;
  const Flight& flight = flights_.front();
  const Deadline own = behind_ ? Deadline::In(flight.limit) : flight.deadline;
  return Oldest{flight.slot, own.at() < flight.deadline.at() ? flight.deadline : own};
}

RankGroup::Completion StepQueue::Pop() {
  MutexLock lock(mutex_);
  if (given_up_) return nullptr;
  RankGroup::Completion done = std::move(flights_.front().done);
  flights_.erase(flights_.begin());
  waking_.store(stop_ || !flights_.empty(), std::memory_order_relaxed);
  behind_ = true;  // whatever is left was issued while this one was in flight
  ended_.notify_all();
  return done;
}

void StepQueue::Leave() {
  MutexLock lock(mutex_);
  left_ = true;
  ended_.notify_all();
}

void StepQueue::Stop() {
  MutexLock lock(mutex_);
  stop_ = true;
  waking_.store(true, std::memory_order_release);
  pushed_.notify_one();
}

bool StepQueue::AwaitLeft(Deadline deadline) {
  MutexLock lock(mutex_);
  while (!left_ && !deadline.passed()) lock.Wait(ended_, deadline);
  return left_;
}

std::vector<StepQueue::Flight> StepQueue::GiveUp() {
  MutexLock lock(mutex_);
  given_up_ = true;
  waking_.store(stop_, std::memory_order_relaxed);
  ended_.notify_all();
  return std::exchange(flights_, {});
}

bool StepQueue::given_up() {
  MutexLock lock(mutex_);
  return given_up_;
}

}  // namespace tessera::engine

// A queue of threads for one thing, served in order of arrival: a mutex makes no promise about order.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <utility>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"

namespace tessera::exec {

class Fifo {
 public:
  // Having the thing; gives it to the next when it goes.
  class Turn {
   public:
    explicit Turn(Fifo& fifo) : fifo_(&fifo) {}
    Turn(Turn&& other) noexcept : fifo_(std::exchange(other.fifo_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (fifo_ != nullptr) fifo_->Leave();
    }

   private:
    Fifo* fifo_;
  };

  // Who waits looks for its turn for `awake_for` before it sleeps.
  explicit Fifo(std::chrono::microseconds awake_for = std::chrono::microseconds(0)) : awake_for_(awake_for) {}

  // Blocks until everybody who came before has left. Errors: kDeadline.
  Result<Turn> Enter(Deadline deadline) EXCLUDES(mutex_);

  // How many wait in Enter.
  size_t waiting() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return waiting_.size();
  }

 private:
  struct Waiter {
    std::condition_variable called;
    std::atomic<bool> has_turn{false};  // set under the mutex
  };

  void Leave() EXCLUDES(mutex_);

  const std::chrono::microseconds awake_for_;
  Mutex mutex_;
  bool taken_ GUARDED_BY(mutex_) = false;
  std::list<Waiter> waiting_ GUARDED_BY(mutex_);
};

}  // namespace tessera::exec

// Notices that a step has run past its deadline, without a system call in a step that does not.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <thread>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"

namespace tessera::engine {

class Watchdog {
 public:
  // Calls `expire` from a thread of its own when an armed deadline passes. `expire` must not block nor call
  // back.
  static Result<std::unique_ptr<Watchdog>> Create(std::function<void()> expire);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // One deadline at a time. Once Disarm has returned, `expire` is not running and is not called for that
  // deadline.
  void Arm(Deadline deadline) EXCLUDES(mutex_);
  void Disarm() EXCLUDES(mutex_);

 private:
  explicit Watchdog(std::function<void()> expire) : expire_(std::move(expire)) {}
  void Watch() EXCLUDES(mutex_);

  const std::function<void()> expire_;
  Mutex mutex_;
  std::condition_variable changed_;
  Deadline deadline_ GUARDED_BY(mutex_) = Deadline::Never();
  // When the thread wakes by itself. A later deadline needs no signal: the thread looks again when it wakes.
  Deadline asleep_until_ GUARDED_BY(mutex_) = Deadline::Never();
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tessera::engine

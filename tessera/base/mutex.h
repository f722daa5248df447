// std::mutex with clang's thread-safety annotations: the compiler checks which mutex guards a field.
// Source: clang documentation, "Thread Safety Analysis".
#pragma once

#include <condition_variable>
#include <mutex>

#include "tessera/base/deadline.h"

#if defined(__clang__)
#define TESSERA_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TESSERA_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) TESSERA_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY TESSERA_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) TESSERA_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) TESSERA_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) TESSERA_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TESSERA_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) TESSERA_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace tessera {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a Mutex for its scope, but while it waits.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() RELEASE() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // Returns once `changed` is notified, at `deadline`, or for no reason: what is waited for is looked at in a
  // loop around it, under the mutex, where the compiler sees that it is held.
  void Wait(std::condition_variable& changed, Deadline deadline = Deadline::Never()) {
    if (deadline.never()) {
      changed.wait(lock_);
    } else {
      changed.wait_until(lock_, deadline.at());
    }
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace tessera

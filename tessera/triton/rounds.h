// Several of a thing that is lent and given back, by threads that may never do so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"

namespace tessera::triton {

// Rounds, so that requests are read while others are computed and answered.
template <class Round>
class Rounds {
 public:
  void Add(std::unique_ptr<Round> round) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    free_.reserve(all_.size() + 1);  // Give must not fail
    free_.push_back(round.get());
    all_.push_back(std::move(round));
  }
  // Blocks until one is free. Null: for `patience` none was, nor was one given back.
  Round* Take(std::chrono::milliseconds patience) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Deadline deadline = Deadline::In(patience);
    for (size_t seen = given_; free_.empty(); seen = given_) {
      lock.Wait(changed_, deadline);
      if (given_ != seen) deadline = Deadline::In(patience);
      if (free_.empty() && deadline.passed()) return nullptr;
    }
    Round* const round = free_.back();
    free_.pop_back();
    return round;
  }
  // Nothing of it is used afterwards; what it holds has been released.
  void Give(Round& round) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    free_.push_back(&round);
    ++given_;
    changed_.notify_all();
  }
  // Blocks until all are free.
  void AwaitAll() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (free_.size() != all_.size()) lock.Wait(changed_);
  }

 private:
  Mutex mutex_;
  std::condition_variable changed_;
  size_t given_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Round>> all_ GUARDED_BY(mutex_);
  std::vector<Round*> free_ GUARDED_BY(mutex_);
};

}  // namespace tessera::triton

// Keeps a group of ranks loaded: when one has failed, it is dropped and loaded anew by a thread of its own,
// so that the failed request is answered at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/engine/rank_group.h"

namespace tessera::exec {

class GroupKeeper {
 public:
  using Loader = std::function<Result<std::unique_ptr<engine::RankGroup>>()>;

  // Called with false when the group is lost, with true when there is one again; by the keeper's thread.
  using OnReady = std::function<void(bool ready)>;

  // Keeps `group`; `load` makes another of the same model.
  static Result<std::unique_ptr<GroupKeeper>> Create(std::unique_ptr<engine::RankGroup> group, Loader load,
                                                     OnReady on_ready = {});
  ~GroupKeeper();  // waits for a load in progress
  GroupKeeper(const GroupKeeper&) = delete;
  GroupKeeper& operator=(const GroupKeeper&) = delete;

  // The group, once it is loaded; one user at a time, until the next call. Errors: kUnavailable (it cannot be
  // loaded: the next call has it tried again), kDeadline.
  Result<engine::RankGroup*> Acquire(Deadline deadline) EXCLUDES(mutex_);

  // The group is of no more use: drops it and starts loading.
  void Renew() EXCLUDES(mutex_);

 private:
  GroupKeeper(std::unique_ptr<engine::RankGroup> group, Loader load, OnReady on_ready)
      : load_(std::move(load)), on_ready_(std::move(on_ready)), group_(std::move(group)) {}
  void Work() EXCLUDES(mutex_);
  // Called without the mutex, which Work gives up in a way that the analysis does not see.
  Result<std::unique_ptr<engine::RankGroup>> Replace(std::unique_ptr<engine::RankGroup> lost);

  const Loader load_;
  const OnReady on_ready_;
  Mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<engine::RankGroup> group_ GUARDED_BY(mutex_);
  bool wanted_ GUARDED_BY(mutex_) = false;          // a load is to be made or being made
  bool ready_ = true;                               // as on_ready_ was told; the thread's
  std::optional<Error> failed_ GUARDED_BY(mutex_);  // of the last load
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tessera::exec

// Keeps a group of ranks loaded: when one has failed, it is dropped and loaded anew by a thread of its own,
// so that the failed request is answered at once.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "tessera/base/deadline.h"
#include "tessera/engine/rank_group.h"

namespace tessera::exec {

class GroupKeeper {
 public:
  // Keeps alive what it uses: it may run on when the keeper is gone.
  using Loader = std::function<Result<std::unique_ptr<engine::RankGroup>>()>;

  // Called with false when the group is lost, with true when there is one again; by the keeper's thread. With
  // true as well by the destructor, if the group is lost then: no call comes after it. Must not block, throw
  // or call the keeper.
  using OnReady = std::function<void(bool ready)>;

  using Duration = Deadline::Clock::duration;

  // Keeps `group`; `load` makes another of the same model, again and again if it fails: whoever looks whether
  // there is one may keep requests away until there is. A load, or the end of a group, that hangs is left
  // behind by the destructor after `end_limit`, with a line in the log.
  static Result<std::unique_ptr<GroupKeeper>> Create(std::unique_ptr<engine::RankGroup> group, Loader load,
                                                     Duration end_limit, OnReady on_ready = {});
  // Drops the group.
  ~GroupKeeper();
  GroupKeeper(const GroupKeeper&) = delete;
  GroupKeeper& operator=(const GroupKeeper&) = delete;

  // The group, once it is loaded; to be used until Renew. Blocks until `deadline`, or for `patience`: those
  // behind a request that lost it need not wait as long again. Errors: kUnavailable (it cannot be loaded: the
  // next call has it tried again), kDeadline.
  Result<std::shared_ptr<engine::RankGroup>> Acquire(Deadline deadline, Duration patience);

  // As on_ready was told last: false from losing the group until there is one again. Does not block.
  bool ready() const;

  // The group is of no more use: drops it and starts loading. Who hangs in it keeps it alive.
  void Renew();

 private:
  struct Shared;
  explicit GroupKeeper(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  const std::shared_ptr<Shared> shared_;  // with the thread, which may be left behind
  std::thread thread_;
};

}  // namespace tessera::exec

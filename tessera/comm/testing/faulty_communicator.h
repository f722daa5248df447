// For tests of whoever uses communicators: ends that fail or hang at a call of choice.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/comm/communicator.h"

namespace tessera::comm::testing {

// What goes wrong in a group, and when. Calls of a rank are counted from 1. Shared by the ends of the group.
class FaultPlan {
 public:
  // The call returns `error` at once; the other ranks are not told, as when an engine fails before its
  // collective.
  void FailAt(Rank rank, uint64_t call, Error error) EXCLUDES(mutex_);
  // The call does not come back until its deadline passes, or any end of the group is aborted, or Release.
  void HangAt(Rank rank, uint64_t call) EXCLUDES(mutex_);
  // Lets the ranks that hang go on with their call.
  void Release() EXCLUDES(mutex_);

  uint64_t calls(Rank rank) const EXCLUDES(mutex_);

 private:
  friend class FaultyCommunicator;
  struct Hang {};
  using Fault = std::variant<Hang, Error>;

  std::optional<Fault> Next(Rank rank) EXCLUDES(mutex_);
  Result<void> WaitForRelease(Deadline deadline) EXCLUDES(mutex_);
  void Abort(const Error& reason) EXCLUDES(mutex_);

  mutable Mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Rank, uint64_t>, Fault> faults_ GUARDED_BY(mutex_);
  std::map<Rank, uint64_t> calls_ GUARDED_BY(mutex_);
  std::optional<Error> aborted_ GUARDED_BY(mutex_);
  bool released_ GUARDED_BY(mutex_) = false;
};

// The ends of a group, each under the plan; by rank, as given.
std::vector<std::unique_ptr<Communicator>> WithFaults(std::vector<std::unique_ptr<Communicator>> ends,
                                                      const std::shared_ptr<FaultPlan>& plan);

}  // namespace tessera::comm::testing

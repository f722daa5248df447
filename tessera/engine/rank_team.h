// What a threaded group and its rank threads share. Private to threaded_rank_group.cc: a thread that is stuck
// in an operator is left behind and keeps alive, through its share of this, all that it may still touch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/rank_session.h"
#include "tessera/engine/watchdog.h"

namespace tessera::engine {

class RankTeam final : private OutputSink {
 public:
  explicit RankTeam(std::vector<std::unique_ptr<comm::Communicator>> ends);

  int world_size() const { return static_cast<int>(ends_.size()); }
  Result<void> StartWatchdog();

  // The whole life of a rank's thread: makes the session, runs steps until Stop.
  void Live(Rank rank, const SessionFactory& make_session, Deadline deadline);

  // Blocks until every rank has its session; the first rank's error, or kDeadline.
  Result<void> AwaitLoaded(Deadline deadline) EXCLUDES(mutex_);

  // Valid once loaded.
  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }

  // RankGroup::Submit of a checked step.
  void Begin(const Step& step, RankGroup::Completion done);
  // The same, but rank 0 runs in the calling thread, before this returns: a wake-up less.
  void BeginHere(const Step& step, RankGroup::Completion done);

  // Records `error` unless an earlier one is the cause, and gets every rank out of its collective and its
  // step.
  void Fail(const Error& error) noexcept EXCLUDES(mutex_);
  bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  Error first_error() EXCLUDES(mutex_);

  // Ends the threads; they finish a step that was begun. AwaitLeft: true when `threads` of them have left
  // within `grace`.
  void Stop();
  bool AwaitLeft(int threads, std::chrono::nanoseconds grace) EXCLUDES(mutex_);

 private:
  // One rank's own words, on a cache line of their own.
  struct alignas(64) Slot {
    std::atomic<uint32_t> bell{0};  // rung when has_step or stopping_ was set; where the idle rank waits
    std::atomic<bool> has_step{false};
    std::atomic<bool> busy{false};
    std::chrono::nanoseconds time{0};
  };

  bool LoadRank(Rank rank, const SessionFactory& make_session, Deadline deadline) EXCLUDES(mutex_);
  void Serve(Rank rank);
  void Prepare(const Step& step, RankGroup::Completion done);
  void Ring(int rank);
  void RunRank(Rank rank);
  void FailRank(Rank rank, Error error) EXCLUDES(mutex_);
  void Complete();
  void Expire();
  std::string BusyRanks() const;
  Result<void> CompareSpecs() EXCLUDES(mutex_);

  // The step's sink as the sessions see it: keeps the caller's error and lets the rank go on without a place.
  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override EXCLUDES(mutex_);

  // Live order: sessions use the ends.
  const std::vector<std::unique_ptr<comm::Communicator>> ends_;
  const std::unique_ptr<Slot[]> slots_;
  std::vector<RankSession*> loaded_sessions_;  // constant once loaded
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;

  Mutex mutex_;
  std::condition_variable changed_;  // loaded_ or left_ grew, or the team failed
  std::vector<std::unique_ptr<RankSession>> sessions_ GUARDED_BY(mutex_);
  std::optional<Error> first_error_ GUARDED_BY(mutex_);
  std::optional<Error> step_error_ GUARDED_BY(mutex_);  // of this step alone; the team goes on
  int loaded_ GUARDED_BY(mutex_) = 0;
  int left_ GUARDED_BY(mutex_) = 0;

  // The step in flight: written by Prepare before a rank is given its part.
  const Step* step_ = nullptr;
  RankGroup::Completion done_;
  std::atomic<int> running_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};

  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace tessera::engine

// Threads that launch ranks beside the thread that runs a step.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

// A step's launches are short, and the first rank's collective waits for the last rank's launch. The caller
// claims rank after rank from the first on; helpers that are awake claim others meanwhile. A helper that
// sleeps or comes late costs nothing: the caller claims what is left, and waits only for launches that are
// under way.
//
// Helpers spin while steps follow each other within `awake_for`, else they sleep. They are woken behind the
// launches of a step, for the next one: nothing is woken in front of them, nor by steps that come seldom.
class LaunchTeam {
 public:
  struct Options {
    int helpers = 0;
    // Some 8 us are won a step: beyond a millisecond they are not worth a core that spins.
    std::chrono::nanoseconds awake_for = std::chrono::milliseconds(1);
  };
  using Task = std::function<Result<void>(Rank)>;

  // Each helper calls `enter` once, in its thread, with the rank that it claims first where it can; its error
  // is that rank's. Errors: kUnsupported (more than kMostRanks), kUnavailable (the system gives no thread).
  static Result<std::unique_ptr<LaunchTeam>> Create(int ranks, Options options, Task enter);
  // Joins; a helper that is stuck is left behind after kStuckAfter, with a line in the log.
  ~LaunchTeam();
  LaunchTeam(const LaunchTeam&) = delete;
  LaunchTeam& operator=(const LaunchTeam&) = delete;

  // As many as pay off for `ranks` ranks on a machine of `cores` cores.
  static int HelpersFor(int ranks, int cores);

  // Runs `task` once for every rank, in the caller's thread and in helpers', and waits for all; not at the
  // same time from two threads. The error that came first, with its rank; no rank is begun after it.
  // kDeadline: a helper did not come back from its rank by `deadline`, nor within kStuckAfter; it keeps
  // `task` alive, and this must not be used again.
  Result<void> Run(Task task, Deadline deadline);

  // How many helpers sleep.
  int asleep() const noexcept;

  static constexpr int kMostRanks = 64;
  static constexpr std::chrono::seconds kStuckAfter{1};

 private:
  struct State;
  LaunchTeam(int ranks, Options options);
  void WakeForTheNext();

  const int ranks_;
  const Options options_;
  const std::shared_ptr<State> state_;  // the helpers' too: one that is stuck may outlive this
  std::chrono::steady_clock::time_point last_run_;
  std::vector<std::thread> threads_;
};

}  // namespace tessera::engine

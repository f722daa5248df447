#include "tessera/engine/launch_team.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <optional>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/spin.h"
#include "tessera/base/unfinished.h"

namespace tessera::engine {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kLooksBetweenClocks = 64;

uint64_t BitOf(Rank rank) {
  return uint64_t{1} << rank.value();
}

uint64_t AllOf(int ranks) {
  return ~uint64_t{0} >> (LaunchTeam::kMostRanks - ranks);
}

uint64_t Lowest(uint64_t bits) {
  return bits & (~bits + 1);
}

}  // namespace

// Ranks are bits. `task` is the caller's to write while none is pending or running.
struct LaunchTeam::State {
  Task task;
  // Of whoever clears the bit. The words that helpers look at all the time share no cache line with those
  // that launches write.
  alignas(64) std::atomic<uint64_t> pending{0};
  std::atomic<uint32_t> round{0};
  std::atomic<bool> stopping{false};
  alignas(64) std::atomic<uint64_t> running{0};
  std::atomic<bool> failed{false};
  alignas(64) std::atomic<uint32_t> bell{0};  // where helpers sleep
  std::atomic<int> asleep{0};

  Mutex mutex;
  std::condition_variable changed;
  std::optional<Error> first_error GUARDED_BY(mutex);
  std::vector<char> gone GUARDED_BY(mutex);  // [helper]

  // Whether the caller of this has `bit` to launch.
  bool Claim(uint64_t bit) { return (pending.fetch_and(~bit, std::memory_order_acq_rel) & bit) != 0; }

  void Launch(const Task& launch, uint64_t bit) {
    if (!failed.load(std::memory_order_relaxed)) {
      const Rank rank(std::countr_zero(bit));
      if (Result<void> launched = launch(rank); !launched) Fail(rank, std::move(launched).error());
    }
    running.fetch_and(~bit, std::memory_order_release);
  }

  void Fail(Rank rank, Error error) {
    if (error.rank < 0) error.rank = rank.value();
    MutexLock lock(mutex);
    if (!first_error) first_error = std::move(error);
    failed.store(true, std::memory_order_relaxed);
  }

  std::optional<Error> TakeError() {
    if (!failed.exchange(false, std::memory_order_relaxed)) return std::nullopt;
    MutexLock lock(mutex);
    return std::exchange(first_error, std::nullopt);
  }

  void LaunchFromTheFirst() {
    while (const uint64_t left = pending.load(std::memory_order_relaxed)) {
      if (const uint64_t bit = Lowest(left); Claim(bit)) Launch(task, bit);
    }
  }

  // From the last, but `own` before all.
  void Help(uint64_t own, const Result<void>& entered) {
    while (const uint64_t left = pending.load(std::memory_order_relaxed)) {
      const uint64_t bit = (left & own) != 0 ? own : std::bit_floor(left);
      if (!Claim(bit)) continue;
      if (entered) {
        Launch(task, bit);
      } else {
        Launch([&](Rank) { return entered; }, bit);
      }
    }
  }

  // Until no step came for `awake_for`.
  void HelpWhileAwake(uint64_t own, const Result<void>& entered, std::chrono::nanoseconds awake_for) {
    Clock::time_point until = Clock::now() + awake_for;
    uint32_t seen = round.load(std::memory_order_relaxed);
    while (!stopping.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kLooksBetweenClocks; ++i) {
        Help(own, entered);
        Pause();
      }
      const Clock::time_point now = Clock::now();
      if (const uint32_t latest = round.load(std::memory_order_relaxed); latest != seen) {
        seen = latest;
        until = now + awake_for;
      } else if (now >= until) {
        return;
      }
    }
  }

  // The whole life of a helper's thread.
  void Serve(Rank own, const Task& enter, std::chrono::nanoseconds awake_for) {
    const Unfinished may_hang;
    const Result<void> entered = enter(own);
    while (true) {
      const uint32_t heard =
          bell.load(std::memory_order_acquire);  // before the look: no later ring is missed
      if (stopping.load(std::memory_order_relaxed)) return;
      HelpWhileAwake(BitOf(own), entered, awake_for);
      asleep.fetch_add(1, std::memory_order_relaxed);
      bell.wait(heard, std::memory_order_acquire);
      asleep.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  void Ring() {
    bell.fetch_add(1, std::memory_order_release);
    bell.notify_all();
  }

  void SetGone(size_t helper) {
    MutexLock lock(mutex);
    gone[helper] = 1;
    changed.notify_all();
  }

  bool AwaitGone(size_t helper, Deadline deadline) {
    MutexLock lock(mutex);
    while (gone[helper] == 0 && !deadline.passed()) lock.Wait(changed, deadline);
    return gone[helper] != 0;
  }
};

namespace {

// Of the launches that helpers have begun.
Result<void> AwaitNone(const std::atomic<uint64_t>& running, int ranks, Deadline deadline) {
  const Deadline stuck = Deadline::In(LaunchTeam::kStuckAfter);
  while (true) {
    for (int i = 0; i < kLooksBetweenClocks; ++i) {
      if (running.load(std::memory_order_acquire) == 0) return {};
      Pause();
    }
    if (deadline.passed() && stuck.passed()) break;
    std::this_thread::yield();
  }
  std::vector<int> late;
  for (uint64_t left = running.load(std::memory_order_acquire); left != 0; left &= left - 1) {
    late.push_back(std::countr_zero(left));
  }
  if (late.empty()) return {};
  return Fail(Code::kDeadline, "the launch of rank {} of {} did not return in its time",
              fmt::format("{}", fmt::join(late, " and rank ")), ranks);
}

}  // namespace

Result<std::unique_ptr<LaunchTeam>> LaunchTeam::Create(int ranks, Options options, Task enter) {
  if (ranks < 1 || ranks > kMostRanks) {
    return Fail(Code::kUnsupported, "{} ranks are to be launched: 1 to {} can be", ranks, kMostRanks);
  }
  options.helpers = std::clamp(options.helpers, 0, ranks - 1);
  std::unique_ptr<LaunchTeam> team(new LaunchTeam(ranks, options));
  for (int h = 0; h < options.helpers; ++h) {
    auto serve = [state = team->state_, h, own = Rank(ranks - 1 - h), enter, awake = options.awake_for] {
      state->Serve(own, enter, awake);
      state->SetGone(static_cast<size_t>(h));
    };
    TRY_ASSIGN(std::thread thread, StartNamedThread(fmt::format("tessera-help{}", h), std::move(serve)));
    team->threads_.push_back(std::move(thread));
  }
  return team;
}

LaunchTeam::LaunchTeam(int ranks, Options options)
    : ranks_(ranks), options_(options), state_(std::make_shared<State>()) {
  MutexLock lock(state_->mutex);
  state_->gone.resize(static_cast<size_t>(options.helpers));
}

LaunchTeam::~LaunchTeam() {
  state_->stopping.store(true, std::memory_order_relaxed);
  state_->Ring();
  const Deadline deadline = Deadline::In(kStuckAfter);
  for (size_t h = 0; h < threads_.size(); ++h) {
    if (state_->AwaitGone(h, deadline)) {
      threads_[h].join();
    } else {
      TESSERA_LOG(kError, "a thread that launches ranks is stuck in a launch and is left behind");
      threads_[h].detach();
    }
  }
}

// Two ranks gain a microsecond or two, which is less than the launches' own spread. Of more than three
// helpers each gains little: launches of one process hold each other up in the driver. Most cores are
// others'.
int LaunchTeam::HelpersFor(int ranks, int cores) {
  return ranks < 3 ? 0 : std::min({ranks - 1, 3, cores / 4});
}

Result<void> LaunchTeam::Run(Task task, Deadline deadline) {
  const uint64_t all = AllOf(ranks_);
  state_->task = std::move(task);
  state_->running.store(all, std::memory_order_relaxed);
  state_->round.fetch_add(1, std::memory_order_relaxed);
  state_->pending.store(all, std::memory_order_release);
  state_->LaunchFromTheFirst();
  TRY(AwaitNone(state_->running, ranks_, deadline));
  state_->task = nullptr;
  if (std::optional<Error> error = state_->TakeError()) return tl::unexpected<Error>(*std::move(error));
  WakeForTheNext();
  return {};
}

void LaunchTeam::WakeForTheNext() {
  if (threads_.empty()) return;
  const Clock::time_point now = Clock::now();
  const bool steps_follow = now - std::exchange(last_run_, now) < options_.awake_for;
  if (steps_follow && asleep() > 0) state_->Ring();
}

int LaunchTeam::asleep() const noexcept {
  return state_->asleep.load(std::memory_order_relaxed);
}

}  // namespace tessera::engine

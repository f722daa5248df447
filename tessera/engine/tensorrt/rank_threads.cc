#include "tessera/engine/tensorrt/rank_threads.h"

#include <fmt/format.h>

#include <deque>
#include <vector>

#include "tessera/base/log.h"
#include "tessera/base/named_thread.h"
#include "tessera/base/unfinished.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/logger.h"

namespace tessera::engine {

// One RunAll. Shared with the workers, so that one that comes late finds it alive.
struct RankThreads::Round {
  Task task;
  std::function<void(const Error&)> on_failure;
  Mutex mutex;
  std::condition_variable ended;
  std::vector<int> running GUARDED_BY(mutex);  // ranks
  std::optional<Error> first_error GUARDED_BY(mutex);

  void Finish(Rank rank, Result<void> result) {
    bool first = false;
    if (!result) {
      if (result.error().rank < 0) result.error().rank = rank.value();
      MutexLock lock(mutex);
      first = !first_error.has_value();
      if (first) first_error = result.error();
    }
    if (first && on_failure) on_failure(result.error());
    MutexLock lock(mutex);
    std::erase(running, rank.value());
    if (running.empty()) ended.notify_all();
  }
};

struct RankThreads::Worker {
  std::thread thread;
  Mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Round>> rounds GUARDED_BY(mutex);
  bool stop GUARDED_BY(mutex) = false;
  bool gone GUARDED_BY(mutex) = false;

  void Push(std::shared_ptr<Round> round) {
    MutexLock lock(mutex);
    rounds.push_back(std::move(round));
    changed.notify_all();
  }

  // Null: stop.
  std::shared_ptr<Round> Pop() {
    MutexLock lock(mutex);
    while (!stop && rounds.empty()) lock.Wait(changed);
    if (rounds.empty()) return nullptr;
    std::shared_ptr<Round> round = std::move(rounds.front());
    rounds.pop_front();
    return round;
  }

  void Stop() {
    MutexLock lock(mutex);
    stop = true;
    changed.notify_all();
  }

  void SetGone() {
    MutexLock lock(mutex);
    gone = true;
    changed.notify_all();
  }

  bool AwaitGone(Deadline deadline) {
    MutexLock lock(mutex);
    while (!gone && !deadline.passed()) lock.Wait(changed, deadline);
    return gone;
  }
};

Result<std::unique_ptr<RankThreads>> RankThreads::Create(const std::vector<DeviceId>& devices) {
  std::unique_ptr<RankThreads> threads(new RankThreads());
  for (size_t r = 0; r < devices.size(); ++r) {
    auto worker = std::make_shared<Worker>();
    auto serve = [worker, rank = Rank(static_cast<int>(r)), device = devices[r]] {
      Serve(worker, rank, device);
    };
    TRY_ASSIGN(worker->thread,
               StartNamedThread(fmt::format("tessera-gpu{}", devices[r].value()), std::move(serve)));
    threads->workers_.push_back(std::move(worker));
  }
  return threads;
}

void RankThreads::Serve(const std::shared_ptr<Worker>& worker, Rank rank, DeviceId device) {
  const Unfinished may_hang;
  TensorRtLogger::NameThread(fmt::format("rank {}", rank.value()));
  auto enter = [device]() -> Result<void> {
    CUDA_TRY(cudaSetDevice(device.value()));
    return {};
  };
  const Result<void> entered = enter();
  while (std::shared_ptr<Round> round = worker->Pop()) {
    Result<void> result = entered ? round->task(rank) : entered;
    round->Finish(rank, std::move(result));
  }
  worker->SetGone();
}

Result<void> RankThreads::RunAll(Task task, Deadline deadline,
                                 const std::function<void(const Error&)>& on_failure) {
  auto round = std::make_shared<Round>();
  round->task = std::move(task);
  round->on_failure = on_failure;
  {
    MutexLock lock(round->mutex);
    for (size_t r = 0; r < workers_.size(); ++r) round->running.push_back(static_cast<int>(r));
  }
  for (const auto& worker : workers_) worker->Push(round);
  MutexLock lock(round->mutex);
  while (!round->running.empty() && !deadline.passed()) lock.Wait(round->ended, deadline);
  if (round->first_error) return tl::unexpected<Error>(*round->first_error);
  if (round->running.empty()) return {};
  return Fail(Code::kDeadline, "rank {} of {} did not finish in its time",
              fmt::format("{}", fmt::join(round->running, " and rank ")), workers_.size());
}

RankThreads::~RankThreads() {
  for (const auto& worker : workers_) worker->Stop();
  const Deadline deadline = Deadline::In(kJoinLimit);
  for (const auto& worker : workers_) {
    if (worker->AwaitGone(deadline)) {
      worker->thread.join();
    } else {
      TESSERA_LOG(kError, "a rank's thread is stuck in its engine and is left behind");
      worker->thread.detach();
    }
  }
}

}  // namespace tessera::engine

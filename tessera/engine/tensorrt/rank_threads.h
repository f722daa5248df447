// One thread per rank for life: loads, warms up and, where a step cannot be captured, runs it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/mutex.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

class RankThreads {
 public:
  // Thread r has devices[r] current. Errors: kUnavailable (the system gives no thread).
  static Result<std::unique_ptr<RankThreads>> Create(const std::vector<DeviceId>& devices);
  // Joins; a thread that is stuck is left behind after kJoinLimit, with a line in the log.
  ~RankThreads();
  RankThreads(const RankThreads&) = delete;
  RankThreads& operator=(const RankThreads&) = delete;

  using Task = std::function<Result<void>(Rank)>;

  // Runs `task` on every rank at the same time and waits for all. The error of the rank that failed first,
  // with its rank. `on_failure` is called once, from the failing rank's thread, while the others still run:
  // to get them out of waiting for it. kDeadline: some still run; they keep `task` alive, and this must not
  // be used again.
  Result<void> RunAll(Task task, Deadline deadline, const std::function<void(const Error&)>& on_failure = {});

  static constexpr std::chrono::seconds kJoinLimit{2};

 private:
  struct Round;
  struct Worker;
  RankThreads() = default;
  static void Serve(const std::shared_ptr<Worker>& worker, Rank rank, DeviceId device);
  std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace tessera::engine

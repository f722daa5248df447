// A request on its way through the ranks.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/exec/executor.h"
#include "tessera/exec/fifo.h"
#include "tessera/exec/gather_sink.h"
#include "tessera/exec/layout.h"
#include "tessera/exec/under_way.h"

namespace tessera::exec {

struct Trip;

// The trip whose step is being issued, by a thread that may hang in it. Whoever takes it from here, that
// thread or who gives it up, sees to what follows.
class Issuing {
 public:
  struct Taken {
    std::shared_ptr<Trip> trip;
    std::shared_ptr<engine::RankGroup> ranks;
  };

  void Begin(std::shared_ptr<Trip> trip, std::shared_ptr<engine::RankGroup> ranks) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    taken_ = {std::move(trip), std::move(ranks)};
  }
  // False: it was given up.
  bool End(const std::shared_ptr<Trip>& trip) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (taken_.trip != trip) return false;
    taken_ = {};
    return true;
  }
  // Null: none is being issued.
  Taken GiveUp() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return std::exchange(taken_, {});
  }
  bool any() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return taken_.trip != nullptr;
  }

 private:
  Mutex mutex_;
  Taken taken_ GUARDED_BY(mutex_);
};

// What the requests of an executor share: a thread that hangs in one keeps it beyond the executor.
struct Passage {
  Passage(std::shared_ptr<const plan::Plan> of, Layout how, int steps_in_flight,
          std::function<void()> give_up)
      : plan(std::move(of)),
        layout(std::move(how)),
        under_way(steps_in_flight, std::move(give_up)),
        fifo(under_way.awake_for()) {}
  const std::shared_ptr<const plan::Plan> plan;
  const Layout layout;  // of the plan
  UnderWay under_way;
  Fifo fifo;  // who may issue a step to the group that the keeper lends
  Issuing issuing;
};

struct Trip {
  using Clock = std::chrono::steady_clock;
  Trip(std::shared_ptr<Passage> by, OutputTarget& outputs, std::vector<engine::RankInputs> parts,
       Clock::time_point began)
      : passage(std::move(by)),
        sink(passage->layout, outputs),
        step{std::move(parts), &sink, Deadline::Never()},
        start(began) {}
  const std::shared_ptr<Passage> passage;
  GatherSink sink;
  engine::Step step;
  UnderWay::Use use;
  std::optional<Fifo::Turn> turn;
  const Clock::time_point start;
  bool by_issuer = false;  // its step is issued by the executor's thread
  Executor::Answer done{};
};

}  // namespace tessera::exec

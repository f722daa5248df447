// Requests on their way through one step.
#pragma once

#include <condition_variable>
#include <memory>
#include <span>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/triton/batch.h"
#include "tessera/triton/request.h"

namespace tessera::triton {

// What one step's requests have to themselves from being read to being released. In one thread's hands at a
// time.
struct Round {
  Round(std::unique_ptr<engine::Mover> in, std::unique_ptr<engine::Mover> out)
      : inputs(std::move(in)), outputs(std::move(out)) {}

  // Takes `taken` over; throws before it has taken any.
  void Take(std::span<Request* const> taken, uint64_t exec_start);
  // Answers all that is not answered, with `done`'s error if it has one.
  void Answer(const Result<void>& done) noexcept;
  void Report(TRITONBACKEND_ModelInstance* instance) const noexcept;

  std::vector<Request> requests;
  std::vector<Request*> order;  // the same
  StepInputs inputs;
  StepOutputs outputs;
  Timeline times;
};

// Several rounds, so that requests are read while others are computed and answered.
class Rounds {
 public:
  void Add(std::unique_ptr<Round> round) EXCLUDES(mutex_);
  // Blocks until one is free.
  Round& Take() EXCLUDES(mutex_);
  // Nothing of it is used afterwards; what it holds has been released.
  void Give(Round& round) EXCLUDES(mutex_);
  // Blocks until all are free.
  void AwaitAll() EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::condition_variable given_;
  std::vector<std::unique_ptr<Round>> all_ GUARDED_BY(mutex_);
  std::vector<Round*> free_ GUARDED_BY(mutex_);
};

}  // namespace tessera::triton
